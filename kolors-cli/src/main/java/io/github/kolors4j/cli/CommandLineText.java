package io.github.kolors4j.cli;

import java.io.File;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.Charset;
import java.nio.charset.IllegalCharsetNameException;
import java.nio.charset.StandardCharsets;
import java.nio.charset.UnsupportedCharsetException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The arguments as they were typed. Java reads them by the locale, silently putting U+FFFD or a
 * question mark where it cannot: the model would draw another text. On Linux the bytes themselves
 * can be read again; elsewhere Java's reading has to do.
 */
final class CommandLineText {
  /** The locale's charset where {@code ./kolors} has set another locale, which the system has. */
  static final String CHARSET = "kolors4j.charset";

  private static final Path COMMAND_LINE = Path.of("/proc/self/cmdline");
  private static final char REPLACEMENT = '\uFFFD';

  private CommandLineText() {}

  /**
   * The arguments of {@code main} as text.
   *
   * @param args what Java has made of them
   * @throws UsageException if their bytes are no text in the locale's charset
   */
  static String[] of(String[] args) {
    boolean suspect =
        System.getProperty(CHARSET) != null
            || isAsciiLocale()
            || Arrays.stream(args).anyMatch(arg -> arg.indexOf(REPLACEMENT) >= 0);
    if (!suspect || File.separatorChar == '\\' || !Files.isReadable(COMMAND_LINE)) {
      return args;
    }
    try {
      List<byte[]> all = split(Files.readAllBytes(COMMAND_LINE));
      // The last ones are ours.
      return all.size() < args.length
          ? args
          : decode(all.subList(all.size() - args.length, all.size()), charset(System.getenv()));
    } catch (IOException _) {
      return args;
    }
  }

  /** Each argument ends with a NUL. */
  static List<byte[]> split(byte[] line) {
    List<byte[]> arguments = new ArrayList<>();
    int begin = 0;
    for (int i = 0; i < line.length; i++) {
      if (line[i] == 0) {
        arguments.add(Arrays.copyOfRange(line, begin, i));
        begin = i + 1;
      }
    }
    return arguments;
  }

  /** Whether the locale has no letters but ASCII's: that of C, or one that is not installed. */
  static boolean isAsciiLocale() {
    String name = System.getProperty("sun.jnu.encoding", "UTF-8");
    return StandardCharsets.US_ASCII.equals(charsetOrNull(name));
  }

  /** What the bytes are in. */
  private static Charset charset(Map<String, String> environment) {
    String named = System.getProperty(CHARSET);
    if (named == null && !isAsciiLocale()) {
      named = System.getProperty("sun.jnu.encoding", "UTF-8");
    }
    return named == null ? ofLocale(environment) : charset(named);
  }

  /**
   * The charset that the locale's name has, as that of {@code zh_CN.GBK}; UTF-8 where it has none:
   * with LANG unset or C, as in any plain container.
   */
  static Charset ofLocale(Map<String, String> environment) {
    for (String variable : List.of("LC_ALL", "LC_CTYPE", "LANG")) {
      String locale = environment.getOrDefault(variable, "");
      if (!locale.isEmpty()) {
        String name = locale.replaceFirst("@.*", "");
        return name.contains(".")
            ? charset(name.substring(name.indexOf('.') + 1))
            : StandardCharsets.UTF_8;
      }
    }
    return StandardCharsets.UTF_8;
  }

  private static Charset charset(String name) {
    Charset charset = charsetOrNull(name);
    if (charset == null) {
      throw new UsageException(
          "[arguments] the locale's charset %s is not known to Java: set LC_ALL=C.UTF-8, and type in UTF-8."
              .formatted(name));
    }
    return charset.equals(StandardCharsets.US_ASCII) ? StandardCharsets.UTF_8 : charset;
  }

  private static @Nullable Charset charsetOrNull(String name) {
    try {
      return Charset.forName(name);
    } catch (IllegalCharsetNameException | UnsupportedCharsetException _) {
      return null;
    }
  }

  /** Strictly, as what is lost is part of a prompt or of a file's name. */
  static String[] decode(List<byte[]> arguments, Charset charset) {
    String[] texts = new String[arguments.size()];
    for (int i = 0; i < texts.length; i++) {
      try {
        texts[i] = charset.newDecoder().decode(ByteBuffer.wrap(arguments.get(i))).toString();
      } catch (CharacterCodingException _) {
        throw new UsageException(
            ("[arguments] argument %d is no text in %s, which the locale says it is in: \"%s\". Type it"
                    + " in that, or set LC_ALL to the locale that it is in.")
                .formatted(i + 1, charset, new String(arguments.get(i), charset)));
      }
    }
    return texts;
  }
}
