package io.github.kolors4j.batch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.StringReader;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Expectations from the grammar and the examples of RFC 4180, section 2. */
class CsvReaderTest {
  private static List<CsvReader.Line> lines(String text) throws IOException {
    List<CsvReader.Line> lines = new ArrayList<>();
    try (CsvReader csv = new CsvReader(new StringReader(text))) {
      for (CsvReader.Line line = csv.next(); line != null; line = csv.next()) {
        lines.add(line);
      }
    }
    return lines;
  }

  private static List<List<String>> texts(String text) throws IOException {
    return lines(text).stream()
        .map(line -> line.fields().stream().map(CsvReader.Field::text).toList())
        .toList();
  }

  @Test
  void linesEndWithAnyLineBreakAndTheLastOneNeedsNone() throws IOException {
    List<List<String>> expected = List.of(List.of("aaa", "bbb"), List.of("zzz", "yyy"));
    assertEquals(expected, texts("aaa,bbb\r\nzzz,yyy\r\n"));
    assertEquals(expected, texts("aaa,bbb\nzzz,yyy"));
    assertEquals(expected, texts("aaa,bbb\rzzz,yyy"));
    assertEquals(expected, texts("\uFEFFaaa,bbb\r\n\r\nzzz,yyy\r\n\r\n"));
  }

  @Test
  void quotedFieldsMayHaveCommasQuotesAndLineBreaks() throws IOException {
    assertEquals(
        List.of(List.of("aaa", "b \r\nb,b", "c\"c"), List.of("zzz", "", "可图")),
        texts("\"aaa\",\"b \r\nb,b\",\"c\"\"c\"\r\nzzz,,可图\r\n"));
  }

  @Test
  void spacesArePartOfAField() throws IOException {
    assertEquals(List.of(List.of(" a ", " b")), texts(" a , b\n"));
  }

  @Test
  void emptyTextInQuotesIsNotTheSameAsNothing() throws IOException {
    List<CsvReader.Field> fields = lines("\"\",,x\n").getFirst().fields();
    assertTrue(fields.get(0).quoted());
    assertFalse(fields.get(1).quoted());
  }

  @Test
  void aLineThatBreaksTheRulesSaysSoAndTheNextOneIsRead() throws IOException {
    List<CsvReader.Line> lines = lines("a,b\"c,d\n\"x\"y,z\n1,2\n");
    assertTrue(lines.get(0).fault().orElseThrow().startsWith("has a quote in the middle"));
    assertTrue(lines.get(1).fault().orElseThrow().startsWith("has text after the quote"));
    assertTrue(lines.get(2).fault().isEmpty());
    assertEquals(List.of(1L, 2L, 3L), lines.stream().map(CsvReader.Line::line).toList());
  }

  @Test
  void aQuoteThatIsNeverClosedIsAFaultAndNotAHeapFullOfText() throws IOException {
    assertTrue(lines("a,\"b\nc,d\n").getFirst().fault().orElseThrow().contains("never closed"));
    String endless = "\"" + "x\n".repeat(CsvReader.MOST_CHARACTERS / 2 + 1);
    assertTrue(lines(endless).getFirst().fault().orElseThrow().contains("is longer than"));
  }

  @Test
  void linesAreCountedThroughQuotedFields() throws IOException {
    List<CsvReader.Line> lines = lines("h\n\"a\nb\r\nc\"\nd\r\ne\n");
    assertEquals(List.of(1L, 2L, 5L, 6L), lines.stream().map(CsvReader.Line::line).toList());
  }
}
