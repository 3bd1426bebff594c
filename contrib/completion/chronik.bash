# SPDX-License-Identifier: Apache-2.0
# Completion of chronik's command line in bash. Commands and options are asked of the program, so
# that they are those that it has; the keys are filled in when chronik is built.

# The names of the commands of "$@", which is the program or the program and "sim".
_chronik_commands()
{
    "$@" help 2>/dev/null | sed -n '/^Commands:/,/^$/s/^  \([a-z-]*\) .*/\1/p'
    echo "help --help --version"
}

# The options of command $1 of the rest of "$@".
_chronik_options()
{
    local command=$1
    shift
    "$@" help "$command" 2>/dev/null | sed -n 's/^  \(--[a-z-]*\).*/\1/p'
    echo "--help"
}

# The first words of command $1 of the rest of "$@", as "try" of "cluster try ...", if it has any.
_chronik_actions()
{
    local command=$1
    shift
    "$@" help "$command" 2>/dev/null |
        sed -n "/^\$/q;s/^\(usage:\|  *\).* $command \([a-z|]*\)\( .*\|\)\$/\2/p" | tr '|' '\n'
}

_chronik()
{
    local program=("$1") current=$2 place=1 keys="@KEYS@"
    local before=${COMP_WORDS[COMP_CWORD - 1]-}
    if [ "$COMP_CWORD" -gt 1 ] && [ "${COMP_WORDS[1]}" = sim ]; then
        program+=(sim)
        place=2
    fi
    local command=${COMP_WORDS[place]-}
    COMPREPLY=()
    if [ "$COMP_CWORD" -eq "$place" ] || [ "$before" = help ]; then
        mapfile -t COMPREPLY < <(compgen -W "$(_chronik_commands "${program[@]}")" -- "$current")
    elif [ "$before" = --set ]; then
        compopt -o nospace 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -S = -W "$keys" -- "$current")
    elif [ "${current#-}" != "$current" ]; then
        mapfile -t COMPREPLY < <(compgen -W "$(_chronik_options "$command" "${program[@]}")" \
            -- "$current")
    elif [ "$COMP_CWORD" -eq $((place + 1)) ] &&
        mapfile -t COMPREPLY < <(compgen -W "$(_chronik_actions "$command" "${program[@]}")" \
            -- "$current") && [ ${#COMPREPLY[@]} -gt 0 ]; then
        :
    else
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
    fi
}

complete -F _chronik chronik
