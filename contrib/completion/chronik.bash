# SPDX-License-Identifier: Apache-2.0
# Completion of chronik's command line in bash. Commands and options are asked of the program, so
# that they are those that it has; the keys are filled in when chronik is built.

# The names of the commands, or the options of command $2, of program $1.
_chronik_words()
{
    if [ $# -eq 1 ]; then
        "$1" help 2>/dev/null | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p'
        echo "help --help --version"
    else
        "$1" help "$2" 2>/dev/null | sed -n 's/^  \(--[a-z-]*\).*/\1/p'
        echo "--help"
    fi
}

_chronik()
{
    local program=$1 current=$2 command=${COMP_WORDS[1]-} keys="@KEYS@"
    local before=${COMP_WORDS[COMP_CWORD - 1]-}
    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ] || [ "$before" = help ]; then
        mapfile -t COMPREPLY < <(compgen -W "$(_chronik_words "$program")" -- "$current")
    elif [ "$before" = --set ]; then
        compopt -o nospace 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -S = -W "$keys" -- "$current")
    elif [ "${current#-}" != "$current" ]; then
        mapfile -t COMPREPLY < <(compgen -W "$(_chronik_words "$program" "$command")" -- "$current")
    else
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
    fi
}

complete -F _chronik chronik
