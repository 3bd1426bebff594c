// SPDX-License-Identifier: Apache-2.0
// Reads "NAME VERSION HEX" lines, has Kafka's own class of each message decode the bytes and encode
// them again, and says which did not come back equal. Run by check_bytes.py.

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.TreeSet;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.ObjectSerializationCache;

public class CheckBytes {
    private static final String[] CLASSES = {
        "org.apache.kafka.common.message.%sData",
        "org.apache.kafka.common.message.%s",
        "org.apache.kafka.coordinator.group.generated.%s",
        "org.apache.kafka.common.metadata.%s",
    };

    /* FetchRequest for fetch_request, wherever Kafka keeps it. */
    private static Class<?> classOf(String name) throws ClassNotFoundException {
        StringBuilder camel = new StringBuilder();
        for (String part : name.split("_")) {
            camel.append(Character.toUpperCase(part.charAt(0))).append(part.substring(1));
        }
        for (String pattern : CLASSES) {
            try {
                return Class.forName(String.format(pattern, camel));
            } catch (ClassNotFoundException e) {
                continue;
            }
        }
        throw new ClassNotFoundException(camel.toString());
    }

    /* What Kafka makes of the bytes; they are equal when it understood all of them as we did. */
    private static byte[] again(String name, short version, byte[] bytes)
            throws ReflectiveOperationException {
        Message message = (Message) classOf(name).getDeclaredConstructor().newInstance();
        ByteBuffer in = ByteBuffer.wrap(bytes);
        message.read(new ByteBufferAccessor(in), version);
        if (in.hasRemaining()) {
            throw new IllegalArgumentException(in.remaining() + " bytes were not read");
        }
        ObjectSerializationCache cache = new ObjectSerializationCache();
        ByteBuffer out = ByteBuffer.allocate(message.size(cache, version));
        message.write(new ByteBufferAccessor(out), cache, version);
        return out.array();
    }

    public static void main(String[] arguments) throws IOException {
        TreeSet<String> versions = new TreeSet<>();
        int equal = 0;
        int different = 0;
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            String[] words = line.split(" ", 3);
            byte[] bytes = HexFormat.of().parseHex(words[2]);
            String why = "";
            try {
                byte[] back = again(words[0], Short.parseShort(words[1]), bytes);
                if (Arrays.equals(back, bytes)) {
                    equal++;
                    versions.add(words[0] + " " + words[1]);
                    continue;
                }
                why = HexFormat.of().formatHex(back);
            } catch (ReflectiveOperationException | RuntimeException e) {
                why = e.toString();
            }
            different++;
            System.out.println(line + "\n    Kafka: " + why);
        }
        System.out.println(equal + " messages in " + versions.size()
            + " versions came back equal from Kafka's classes, " + different + " did not");
        System.exit(different == 0 && equal > 0 ? 0 : 1);
    }
}
