package io.github.kolors4j.fuzz;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;

/**
 * Damages JSON where it hurts: values of other kinds, numbers beyond every edge, texts that are
 * long, empty or lead out of the folder, keys that are missing or come twice, brackets without end.
 */
final class JsonMutator implements Mutator {
  private static final List<String> VALUES =
      List.of(
          "null",
          "true",
          "false",
          "0",
          "-0",
          "1",
          "-1",
          "2",
          "3",
          "256",
          "65536",
          "0.5",
          "1e-400",
          "1e400",
          "-1e400",
          "1E+3",
          "2147483647",
          "2147483648",
          "4294967296",
          "9223372036854775807",
          "9223372036854775808",
          "-9223372036854775809",
          "9".repeat(400),
          "0." + "3".repeat(400),
          "Infinity",
          "-Infinity",
          "NaN",
          "01",
          "+1",
          ".5",
          "1.",
          "\"\"",
          "\" \"",
          "\"..\"",
          "\"../../etc/passwd\"",
          "\"/etc/passwd\"",
          "\"C:\\\\x\"",
          "\"a\\u0000b\"",
          "\"line\\nof its own\"",
          "\"\\ud800\"",
          "\"\u6f22\u5b57 \ud83d\ude00\"",
          "\"" + "x".repeat(10_000) + "\"",
          "\"%s %n\"",
          "[]",
          "{}",
          "[null]",
          "[[[[]]]]",
          "{\"\":{\"\":{}}}",
          "[1,2,3,4,5,6,7,8,9]",
          "[" + "0,".repeat(5_000) + "0]",
          "[".repeat(60) + "]".repeat(60),
          "[".repeat(5_000),
          "{\"a\":".repeat(5_000),
          "'x'",
          "// x",
          "tru",
          "");

  /**
   * A value in a text.
   *
   * @param member where its key begins, or itself where it has none
   */
  private record Span(int member, int from, int end) {}

  @Override
  public byte[] mutate(RandomGenerator random, List<byte[]> seeds) {
    String text = new String(Mutator.oneOf(random, seeds), UTF_8);
    String other = new String(Mutator.oneOf(random, seeds), UTF_8);
    byte[] file = mutated(random, text, other).getBytes(UTF_8);
    return random.nextInt(8) == 0 && file.length > Integer.BYTES
        ? ByteMutator.damaged(random, file, seeds)
        : file;
  }

  /** A text with some values changed, some of them to what another text has. */
  static String mutated(RandomGenerator random, String json, String other) {
    String text = json;
    int times = 1 + random.nextInt(3);
    for (int i = 0; i < times; i++) {
      List<Span> spans = spans(text);
      text = changed(random, text, Mutator.oneOf(random, spans), spans, other);
    }
    return text;
  }

  private static String changed(
      RandomGenerator random, String text, Span at, List<Span> spans, String other) {
    Span second = Mutator.oneOf(random, spans);
    return switch (random.nextInt(10)) {
      case 0, 1, 2, 3 -> with(text, at, Mutator.oneOf(random, VALUES));
      case 4 -> with(text, at, text.substring(second.from, second.end));
      case 5 -> {
        Span taken = Mutator.oneOf(random, spans(other));
        yield with(text, at, other.substring(taken.from, taken.end));
      }
      case 6 -> without(text, at);
      case 7 -> // twice
          text.substring(0, at.member)
              + text.substring(at.member, at.end)
              + ","
              + text.substring(at.member);
      case 8 -> // another's key
          at.member < at.from && second.member < second.from
              ? text.substring(0, at.member)
                  + text.substring(second.member, second.from)
                  + text.substring(at.from)
              : with(text, at, "[" + text.substring(at.from, at.end) + "]");
      default -> text.substring(0, at.from) + number(random) + text.substring(at.end);
    };
  }

  private static String number(RandomGenerator random) {
    return random.nextBoolean()
        ? Integer.toString(ByteMutator.edge(random))
        : Double.toString(Double.longBitsToDouble(random.nextLong()));
  }

  private static String with(String text, Span at, String value) {
    return text.substring(0, at.from) + value + text.substring(at.end);
  }

  private static String without(String text, Span at) {
    int end = at.end;
    if (end < text.length() && text.charAt(end) == ',') {
      end++;
    }
    return text.substring(0, at.member) + text.substring(end);
  }

  /** All values of a text, as far as it is JSON; the whole at least. */
  private static List<Span> spans(String text) {
    List<Span> spans = new ArrayList<>();
    try {
      new Scanner(text, spans).value(-1, 0);
    } catch (IndexOutOfBoundsException _) {
      // a former change
    }
    if (spans.isEmpty()) {
      spans.add(new Span(0, 0, text.length()));
    }
    return spans;
  }

  /** Finds values without a look at the rules. */
  private static final class Scanner {
    private static final int DEEPEST = 50;

    private final String text;
    private final List<Span> spans;
    private int at;

    Scanner(String text, List<Span> spans) {
      this.text = text;
      this.spans = spans;
    }

    void value(int member, int depth) {
      space();
      int from = at;
      char first = text.charAt(at);
      if ((first == '{' || first == '[') && depth < DEEPEST) {
        at++;
        space();
        while (text.charAt(at) != '}' && text.charAt(at) != ']') {
          int key = at;
          if (first == '{') {
            string();
            space();
            at++; // the colon
          }
          value(key, depth + 1);
          space();
          at += text.charAt(at) == ',' ? 1 : 0;
          space();
        }
        at++;
      } else if (first == '"') {
        string();
      } else {
        do {
          at++;
        } while (",]} \n".indexOf(text.charAt(at)) < 0);
      }
      spans.add(new Span(member < 0 ? from : member, from, at));
    }

    private void string() {
      at++;
      while (text.charAt(at) != '"') {
        at += text.charAt(at) == '\\' ? 2 : 1;
      }
      at++;
    }

    private void space() {
      while (" \n\r\t".indexOf(text.charAt(at)) >= 0) {
        at++;
      }
    }
  }
}
