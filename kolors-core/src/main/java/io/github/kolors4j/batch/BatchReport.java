package io.github.kolors4j.batch;

import io.github.kolors4j.image.ImageFormat;
import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.request.ImageRequest;
import io.github.kolors4j.safetensors.InvalidFileException;
import io.github.kolors4j.safetensors.json.JsonException;
import io.github.kolors4j.safetensors.json.JsonReader;
import io.github.kolors4j.safetensors.json.JsonWriter;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.Writer;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A page about a batch: a contact sheet that groups its pictures by any column, and puts several
 * settings side by side. One file with everything in it, also small pictures as far as there are
 * not too many, for any browser, from the disk.
 */
public final class BatchReport {
  /** The page's file, in the folder of the batch. */
  public static final String NAME = "report.html";

  /** Small pictures within the page: of more it would have tens of megabytes, and links to them. */
  private static final int MOST_WITHIN = 500;

  /** What a browser shows on one page without becoming slow. */
  private static final int MOST_SHOWN = 5_000;

  /** Of a small picture's longer side. */
  private static final int PIXELS = 192;

  private static final int LONGEST_VALUE = 200;

  /** Columns that tell pictures apart and are nothing to group them by. */
  private static final Set<String> OF_ONE_PICTURE =
      Set.of("id", "row", "file", "sha256", "request", "bytes", "timings", "error");

  private static final String PROMPT = "prompt";

  private static final String SEED = "seed";

  /** Arguments that differ from picture to picture, and are no settings to compare. */
  private static final Set<String> NO_SETTINGS =
      Set.of(PROMPT, "negative_prompt", SEED, "image", "control_image", "ip_adapter_image");

  /** Arguments that the page names also where they are at their default. */
  private static final Set<String> LOOKED_FOR =
      Set.of("num_inference_steps", "guidance_scale", "scheduler");

  private static final Map<String, String> DEFAULTS = defaults();

  private static final String PICTURES = "<!-- pictures -->";

  private BatchReport() {}

  /**
   * Writes the page about the batch in a folder, in the order of the table. Where a picture cannot
   * be read, the page says so in its place.
   *
   * @param directory with the manifest and the pictures
   * @return the page
   * @throws IOException if the manifest cannot be read, or the page not be written
   */
  public static Path write(Path directory) throws IOException {
    Columns columns = new Columns();
    FirstRows rows = new FirstRows();
    forEach(
        directory,
        entry -> {
          columns.add(entry);
          rows.add(entry);
        });
    String page = template();
    int here = page.indexOf(PICTURES);
    Path file = directory.resolve(NAME);
    try (BufferedWriter out = Files.newBufferedWriter(BatchFile.part(file))) {
      out.write(
          page.substring(0, here)
              .replace("{{title}}", escaped(title(directory)))
              .replace("{{summary}}", escaped(columns.summary()))
              .replace("{{settings}}", escaped(JsonWriter.compact(columns.settings()))));
      boolean within = columns.rows <= MOST_WITHIN;
      for (Map<String, @Nullable Object> entry : rows.inOrder()) {
        figure(out, directory, entry, columns, within);
      }
      out.write(page.substring(here + PICTURES.length()));
    }
    BatchFile.rename(file);
    return file;
  }

  private static Map<String, String> defaults() {
    Map<String, String> defaults = new HashMap<>();
    try {
      JsonReader.of(ImageRequest.of("").toJson())
          .object()
          .forEach((name, value) -> defaults.put(name, text(value)));
    } catch (JsonException e) {
      throw new IllegalStateException(e); // we wrote it
    }
    return defaults;
  }

  private static String title(Path directory) {
    return String.valueOf(directory.toAbsolutePath().normalize().getFileName());
  }

  /** The rows that are shown: in the table's order, where the manifest has that of their ends. */
  private static final class FirstRows {
    private record Row(double number, long line, Map<String, @Nullable Object> entry) {}

    private static final Comparator<Row> ORDER =
        Comparator.comparingDouble(Row::number).thenComparingLong(Row::line);

    /** The last one is on top. */
    private final PriorityQueue<Row> first = new PriorityQueue<>(ORDER.reversed());

    private long lines;

    void add(Map<String, @Nullable Object> entry) {
      double number = entry.get("row") instanceof Number row ? row.doubleValue() : Double.MAX_VALUE;
      first.add(new Row(number, lines++, entry));
      if (first.size() > MOST_SHOWN) {
        first.remove();
      }
    }

    List<Map<String, @Nullable Object>> inOrder() {
      return first.stream().sorted(ORDER).map(Row::entry).toList();
    }
  }

  private static void forEach(Path directory, Consumer<Map<String, @Nullable Object>> consumer)
      throws IOException {
    Path manifest = directory.resolve(Manifest.NAME);
    if (!Files.exists(manifest)) {
      throw new InvalidFileException(
          "[batch] %s has no %s: it is no folder of a batch.".formatted(directory, Manifest.NAME));
    }
    try (BufferedReader in = Files.newBufferedReader(manifest)) {
      for (String line = in.readLine(); line != null; line = in.readLine()) {
        consumer.accept(JsonReader.of(line).object());
      }
    } catch (JsonException e) {
      throw new InvalidFileException("[batch] %s %s".formatted(manifest, e.reason()), e);
    }
  }

  /** Which columns have more than one value. */
  private static final class Columns {
    private final Map<String, String> first = new LinkedHashMap<>();
    private final Map<String, Boolean> varies = new LinkedHashMap<>();
    private long rows;

    /** Rows with a picture: those with an error may not say what the defaults would. */
    private long pictures;

    void add(Map<String, @Nullable Object> entry) {
      rows++;
      if (entry.get("file") == null) {
        return;
      }
      entry.forEach(
          (name, value) -> {
            if (!OF_ONE_PICTURE.contains(name)) {
              String text = text(value);
              boolean other = pictures > 0 && !Objects.equals(first.getOrDefault(name, ""), text);
              first.putIfAbsent(name, text);
              varies.merge(
                  name, other || (pictures > 0 && !varies.containsKey(name)), Boolean::logicalOr);
            }
          });
      pictures++;
    }

    boolean isShown(String column) {
      return varies.getOrDefault(column, false);
    }

    List<String> arguments() {
      return varies.keySet().stream()
          .filter(column -> isShown(column) && RequestReader.isArgument(column))
          .toList();
    }

    /** What can be put side by side. */
    List<String> settings() {
      return arguments().stream().filter(column -> !NO_SETTINGS.contains(column)).toList();
    }

    /** What else a caption says: of what is neither the prompt nor the seed. */
    List<String> others() {
      List<String> settings = settings();
      return arguments().stream()
          .filter(column -> !settings.contains(column))
          .filter(column -> !column.equals(PROMPT) && !column.equals(SEED))
          .toList();
    }

    /** What all have, but for defaults that nobody would look for. */
    private boolean isSaid(String column) {
      String value = first.getOrDefault(column, "");
      return !value.isEmpty()
          && (LOOKED_FOR.contains(column) || !value.equals(DEFAULTS.get(column)));
    }

    String summary() {
      String same =
          String.join(
              ", ",
              varies.keySet().stream()
                  .filter(column -> !isShown(column) && RequestReader.isArgument(column))
                  .filter(this::isSaid)
                  .map(column -> column + " " + first.get(column))
                  .toList());
      return String.format(
          Locale.ROOT,
          "%,d pictures, %,d errors%s%s",
          pictures,
          rows - pictures,
          rows > MOST_SHOWN
              ? String.format(Locale.ROOT, "; the first %,d are shown", MOST_SHOWN)
              : "",
          same.isEmpty() ? "." : ". In all of them: " + same + ".");
    }
  }

  private static String text(@Nullable Object value) {
    String text =
        value == null ? "" : value instanceof String given ? given : JsonWriter.line(value);
    return text.length() <= LONGEST_VALUE ? text : text.substring(0, LONGEST_VALUE) + "…";
  }

  private static void figure(
      Writer out,
      Path directory,
      Map<String, @Nullable Object> entry,
      Columns columns,
      boolean within)
      throws IOException {
    Map<String, String> values = new LinkedHashMap<>();
    entry.forEach(
        (name, value) -> {
          if (columns.isShown(name)) {
            values.put(name, text(value));
          }
        });
    out.write("<figure data-values=\"%s\">".formatted(escaped(JsonWriter.compact(values))));
    out.write(
        entry.get("file") instanceof String file
            ? picture(directory.resolve(file), text(entry.get(PROMPT)), within)
            : error(text(entry.get("error"))));
    String seed = entry.get(SEED) == null ? "" : ", seed " + text(entry.get(SEED));
    out.write("<figcaption>%s".formatted(escaped(text(entry.get("id")) + seed)));
    if (columns.isShown(PROMPT)) {
      writeLine(out, PROMPT, text(entry.get(PROMPT)));
    }
    writeLine(out, "others", said(entry, columns.others()));
    writeLine(out, "settings", said(entry, columns.settings()));
    out.write("</figcaption></figure>\n");
  }

  private static String said(Map<String, @Nullable Object> entry, List<String> names) {
    return names.stream()
        .filter(name -> !text(entry.get(name)).isEmpty())
        .map(name -> name + " " + text(entry.get(name)))
        .collect(Collectors.joining(", "));
  }

  private static String picture(Path file, String prompt, boolean within) {
    String address = address(String.valueOf(file.getFileName()));
    String source;
    try {
      source = within ? small(file) : address;
    } catch (IOException e) {
      return error(
          KolorsBatch.sentence(e)
              + " A batch of the same table makes it again, where it is in it.");
    }
    return "<a href=\"%s\"><img loading=\"lazy\" alt=\"%s\" src=\"%s\"></a>"
        .formatted(address, escaped(prompt), source);
  }

  private static String error(String sentence) {
    return "<div class=\"error\">%s</div>".formatted(escaped(sentence));
  }

  /** A line below a picture, which the page hides where its heading says the same. */
  private static void writeLine(Writer out, String kind, String line) throws IOException {
    if (!line.isEmpty()) {
      out.write("<span class=\"%s\">%s</span>".formatted(kind, escaped(line)));
    }
  }

  /** A small JPEG, within the page. */
  private static String small(Path file) throws IOException {
    KolorsImage picture = KolorsImage.read(file);
    double factor = (double) PIXELS / Math.max(picture.width(), picture.height());
    KolorsImage small =
        factor >= 1
            ? picture
            : picture.resize(
                Math.max(1, (int) Math.round(picture.width() * factor)),
                Math.max(1, (int) Math.round(picture.height() * factor)));
    ByteArrayOutputStream jpeg = new ByteArrayOutputStream();
    small.writeTo(jpeg, ImageFormat.JPEG, Map.of());
    return "data:image/jpeg;base64," + Base64.getEncoder().encodeToString(jpeg.toByteArray());
  }

  private static String address(String file) {
    try {
      return new URI(null, null, "./" + file, null).toASCIIString();
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e); // any text can be a path
    }
  }

  private static String escaped(String text) {
    return text.replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace("\"", "&quot;")
        .replace("'", "&#39;");
  }

  private static String template() throws IOException {
    try (InputStream in = BatchReport.class.getResourceAsStream(NAME)) {
      return new String(Objects.requireNonNull(in).readAllBytes(), StandardCharsets.UTF_8);
    }
  }
}
