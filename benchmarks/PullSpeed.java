import io.github.kolors4j.hub.HubClient;
import io.github.kolors4j.hub.HubEnvironment;
import io.github.kolors4j.hub.PullListener;
import io.github.kolors4j.hub.RepoRevision;
import io.github.kolors4j.safetensors.Variant;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Scanner;
import java.util.SplittableRandom;
import java.util.stream.Stream;

/// How fast a pull is where nothing but this machine limits it: 2 GB in two files, from a server in a process
/// of its own that hands over pages of the system's cache, against copying the files and hashing the copies.
///
///     javac -cp JAR -d target/speed benchmarks/PullSpeed.java
///     java -cp JAR:target/speed PullSpeed FOLDER ./kolors 4
///
/// JAR is kolors-cli/target/kolors-cli-VERSION.jar. FOLDER gets 6 GB and loses them again. In turn, so many times:
/// `cp` and the JDK's SHA-256 in a process of its own, and `./kolors pull`; then both within this process.
public class PullSpeed {
    private static final String REPO = "Owner/speed";
    private static final String COMMIT = "0123456789abcdef0123456789abcdef01234567";
    private static final int FILE_BYTES = 1_000_000_000;
    private static final int BUFFER_BYTES = 1 << 20;

    public static void main(String[] args) throws Exception {
        switch (args[0]) {
            case "--serve" -> serve(Path.of(args[1]));
            case "--hash" -> System.out.println(hash(Path.of(args[1])) + hash(Path.of(args[2])));
            default -> measure(Path.of(args[0]), Path.of(args[1]).toAbsolutePath().toString(), Integer.parseInt(args[2]));
        }
    }

    private static void measure(Path folder, String kolors, int runs) throws Exception {
        Path source = Files.createDirectories(folder.resolve("source/unet"));
        List<Path> files = List.of(source.resolve(name(1)), source.resolve(name(2)));
        for (Path file : files) {
            write(file);
        }
        Process server = java("--serve", source.toString()).redirectOutput(ProcessBuilder.Redirect.PIPE).start();
        try {
            String endpoint = "http://127.0.0.1:" + server.inputReader().readLine();
            Path copies = folder.resolve("copies");
            Path cache = folder.resolve("hub");
            System.out.println("seconds                    copy + hash   pull");
            for (int i = 0; i < 2 * runs; i++) {
                boolean within = i >= runs;
                double copy = 0;
                double pull = 0;
                for (boolean first : i % 2 == 0 ? List.of(true, false) : List.of(false, true)) {
                    delete(copies);
                    delete(cache);
                    Files.createDirectories(copies);
                    run(new ProcessBuilder("sync"));
                    long begin = System.nanoTime();
                    if (first && within) {
                        for (Path file : files) {
                            hash(Files.copy(file, copies.resolve(file.getFileName())));
                        }
                    } else if (first) {
                        run(new ProcessBuilder("cp", files.get(0).toString(), files.get(1).toString(), copies.toString()));
                        run(java("--hash", copies.resolve(name(1)).toString(), copies.resolve(name(2)).toString()));
                    } else if (within) {
                        HubClient hub = new HubClient(HubEnvironment.of(Map.of("HF_ENDPOINT", endpoint), folder).withCache(cache));
                        hub.pull(hub.plan(RepoRevision.parse(REPO), Variant.DEFAULT), PullListener.NONE);
                    } else {
                        ProcessBuilder process = new ProcessBuilder(kolors, "pull", REPO);
                        process.environment().putAll(Map.of("HF_ENDPOINT", endpoint, "HF_HUB_CACHE", cache.toString()));
                        run(process);
                    }
                    double seconds = (System.nanoTime() - begin) / 1e9;
                    copy += first ? seconds : 0;
                    pull += first ? 0 : seconds;
                }
                System.out.printf("%-26s %11.2f %6.2f%n", within ? "within one process" : "processes of their own", copy, pull);
            }
            delete(copies);
            delete(cache);
            delete(folder.resolve("source"));
        } finally {
            server.destroy();
        }
    }

    private static String name(int part) {
        return "diffusion_pytorch_model.fp16-0000%d-of-00002.safetensors".formatted(part);
    }

    /// This program in a process of its own.
    private static ProcessBuilder java(String... args) {
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        Stream<String> command = Stream.of(java, "-cp", System.getProperty("java.class.path"), "PullSpeed");
        return new ProcessBuilder(Stream.concat(command, Stream.of(args)).toList());
    }

    private static void run(ProcessBuilder command) throws IOException, InterruptedException {
        Process process =
                command.redirectOutput(ProcessBuilder.Redirect.DISCARD).redirectError(ProcessBuilder.Redirect.DISCARD).start();
        if (process.waitFor() != 0) {
            throw new IOException(command.command() + " ended with " + process.exitValue());
        }
    }

    private static void delete(Path folder) throws IOException {
        if (Files.exists(folder)) {
            try (Stream<Path> all = Files.walk(folder)) {
                for (Path each : all.sorted(Comparator.reverseOrder()).toList()) {
                    Files.delete(each);
                }
            }
        }
    }

    private static void write(Path file) throws IOException {
        SplittableRandom random = new SplittableRandom(file.hashCode());
        byte[] bytes = new byte[BUFFER_BYTES];
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            while (channel.size() < FILE_BYTES) {
                random.nextBytes(bytes);
                channel.write(ByteBuffer.wrap(bytes, 0, (int) Math.min(BUFFER_BYTES, FILE_BYTES - channel.size())));
            }
        }
    }

    private static String hash(Path file) throws Exception {
        MessageDigest digest = MessageDigest.getInstance("SHA-256");
        ByteBuffer bytes = ByteBuffer.allocateDirect(BUFFER_BYTES);
        try (FileChannel channel = FileChannel.open(file)) {
            while (channel.read(bytes) >= 0) {
                digest.update(bytes.flip());
                bytes.clear();
            }
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    /// Answers as the hub, at a port that it prints.
    private static void serve(Path unet) throws Exception {
        Map<String, byte[]> answers = new HashMap<>();
        List<String> entries = new ArrayList<>();
        for (int part = 1; part <= 2; part++) {
            entries.add("""
                    {"type": "file", "path": "unet/%s", "size": %d, "oid": "%s", "lfs": {"oid": "%s", "size": %d}}"""
                    .formatted(name(part), FILE_BYTES, COMMIT, hash(unet.resolve(name(part))), FILE_BYTES));
        }
        Map<String, String> small = Map.of(
                "model_index.json", "{\"_class_name\": \"KolorsPipeline\", \"unet\": [\"diffusers\", \"UNet2DConditionModel\"]}",
                "unet/config.json", "{}",
                "unet/diffusion_pytorch_model.safetensors.index.fp16.json", "{\"weight_map\": {}}");
        for (Map.Entry<String, String> file : small.entrySet()) {
            byte[] text = file.getValue().getBytes(StandardCharsets.US_ASCII);
            MessageDigest git = MessageDigest.getInstance("SHA-1");
            git.update("blob %d\0".formatted(text.length).getBytes(StandardCharsets.US_ASCII));
            entries.add("{\"type\": \"file\", \"path\": \"%s\", \"size\": %d, \"oid\": \"%s\"}"
                    .formatted(file.getKey(), text.length, HexFormat.of().formatHex(git.digest(text))));
            answers.put("/" + REPO + "/resolve/" + COMMIT + "/" + file.getKey(), text);
        }
        String models = "/api/models/" + REPO;
        answers.put(models + "/revision/main", ("{\"sha\": \"" + COMMIT + "\"}").getBytes(StandardCharsets.US_ASCII));
        answers.put(models + "/tree/" + COMMIT, entries.toString().getBytes(StandardCharsets.US_ASCII));
        InetSocketAddress free = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
        try (ServerSocketChannel server = ServerSocketChannel.open().bind(free)) {
            System.out.println(((InetSocketAddress) server.getLocalAddress()).getPort());
            while (true) {
                SocketChannel client = server.accept();
                Thread.ofPlatform().daemon().start(() -> answer(client, unet, answers));
            }
        }
    }

    private static void answer(SocketChannel client, Path unet, Map<String, byte[]> answers) {
        try (client; Scanner in = new Scanner(client, StandardCharsets.US_ASCII).useDelimiter("\r\n\r\n")) {
            while (in.hasNext()) {
                String request = in.next().strip();
                String path = request.split(" ")[1].replaceFirst("\\?.*", "");
                Optional<String> range = request.lines().filter(line -> line.startsWith("Range: bytes=")).findFirst();
                if (answers.containsKey(path)) {
                    byte[] body = answers.get(path);
                    String range206 = "206 Partial Content\r\nContent-Range: bytes 0-%d/%d".formatted(body.length - 1, body.length);
                    head(client, range.isPresent() ? range206 : "200 OK", body.length);
                    client.write(ByteBuffer.wrap(body));
                    continue;
                }
                String[] ends = range.orElseThrow().substring("Range: bytes=".length()).split("-");
                long at = Long.parseLong(ends[0]);
                long end = Long.parseLong(ends[1]) + 1;
                head(client, "206 Partial Content\r\nContent-Range: bytes %d-%d/%d".formatted(at, end - 1, FILE_BYTES), end - at);
                try (FileChannel file = FileChannel.open(unet.resolve(path.replaceFirst(".*/", "")))) {
                    while (at < end) {
                        at += file.transferTo(at, Math.min(BUFFER_BYTES, end - at), client);
                    }
                }
            }
        } catch (IOException e) {
            // the client has left
        }
    }

    private static void head(SocketChannel client, String status, long length) throws IOException {
        client.write(ByteBuffer.wrap("HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n".formatted(status, length)
                .getBytes(StandardCharsets.US_ASCII)));
    }
}
