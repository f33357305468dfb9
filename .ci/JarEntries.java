import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.ZipFile;

/// Prints what is in the jars that a file names, a line an entry: the jar's path, a tab, the entry's name.
/// One process for all of them, where `jar --list` takes one each.
public class JarEntries {
    public static void main(String[] args) throws IOException {
        Path folder = Path.of(args[1]);
        for (String jar : Files.readAllLines(Path.of(args[0]))) {
            if (jar.endsWith(".jar")) {
                try (ZipFile zip = new ZipFile(folder.resolve(jar).toFile())) {
                    zip.stream().forEach(entry -> System.out.println(jar + "\t" + entry.getName()));
                }
            }
        }
    }
}
