package io.github.kolors4j.batch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.kolors4j.safetensors.InvalidFileException;
import io.github.kolors4j.safetensors.json.JsonNumber;
import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BatchTableTest {
  @TempDir private Path folder;

  private List<TableRow> rows(String name, String text) throws IOException {
    Path file = Files.writeString(folder.resolve(name), text);
    List<TableRow> rows = new ArrayList<>();
    BatchTable.read(file).forEach(rows::add);
    return rows;
  }

  private String refusal(String name, String text) throws IOException {
    Path file = Files.writeString(folder.resolve(name), text);
    return assertThrows(InvalidFileException.class, () -> BatchTable.read(file).forEach(_ -> {}))
        .getMessage();
  }

  @Test
  void cellsOfTextsStayTextsAndOthersAreWhatJsonMakesOfThem() throws IOException {
    TableRow row =
        rows(
                "a.csv",
                "id,prompt,seed,num_inference_steps,guidance_scale,vae_tiling,scheduler_options,note\n"
                    + "7,123,5,25.0,6.5,True,\"{\"\"use_karras_sigmas\"\": true}\",1\n")
            .getFirst();
    assertEquals("7", row.id());
    assertEquals("123", row.values().get("prompt"));
    assertEquals("25", row.values().get("num_inference_steps").toString());
    assertTrue(row.values().get("seed") instanceof JsonNumber);
    assertEquals("6.5", row.values().get("guidance_scale").toString());
    assertEquals(true, row.values().get("vae_tiling"));
    assertEquals("{use_karras_sigmas=true}", row.values().get("scheduler_options").toString());
    assertEquals("1", row.values().get("note"));
  }

  @Test
  void anEmptyCellIsNoValueAndEmptyQuotesAreEmptyText() throws IOException {
    List<TableRow> rows = rows("a.csv", "prompt,negative_prompt\nx,\ny,\"\"\n");
    assertFalse(rows.get(0).values().containsKey("negative_prompt"));
    assertEquals("", rows.get(1).values().get("negative_prompt"));
  }

  @Test
  void aRowWithoutIdIsCalledByItsNumber() throws IOException {
    assertEquals(
        List.of("1", "b", "3"),
        rows("a.jsonl", "{\"prompt\": \"x\"}\n\n{\"id\": \"b\"}\n{\"id\": null}\n").stream()
            .map(TableRow::id)
            .toList());
  }

  @Test
  void aBadLineIsARowWithAFaultThatNamesThePlace() throws IOException {
    List<TableRow> csv = rows("a.csv", "prompt,seed\nx\na \"b\",1\ny,2\n");
    assertTrue(csv.get(0).fault().orElseThrow().contains("row 1, line 2, has 1 fields"));
    assertTrue(csv.get(1).fault().orElseThrow().contains("row 2, line 3, has a quote"));
    assertTrue(csv.get(2).fault().isEmpty());
    List<TableRow> lines = rows("a.jsonl", "{\"prompt\": \n[1]\n{\"prompt\": \"x\"}\n");
    assertTrue(lines.get(0).fault().orElseThrow().startsWith("[batch] row 1, line 1, ends in"));
    assertTrue(lines.get(1).fault().isPresent());
    assertEquals("x", lines.get(2).values().get("prompt"));
  }

  @Test
  void aTableThatCannotBeReadIsRefusedWithWhatHelps() throws IOException {
    assertTrue(refusal("a.csv", "").contains("is empty: its first line must name the columns"));
    assertTrue(refusal("a.csv", "prompt,prompt\n").contains("column 2 is called \"prompt\""));
    String control = refusal("a.csv", "prompt,i\u007f,i\u007f\n");
    assertTrue(control.contains("column 3 is called \"i"), control);
    assertTrue(control.chars().noneMatch(Character::isISOControl), control);
    assertTrue(refusal("a.csv", "prompt,\n").contains("each needs a name of its own"));
    assertTrue(refusal("a.csv", "prompt;seed\nx;1\n").contains("separate columns with commas"));
    assertTrue(refusal("a.xlsx", "").contains("must end with .csv or .jsonl"));
    Path gbk = folder.resolve("gbk.csv");
    Files.write(gbk, "prompt\n瓢虫\n".getBytes(Charset.forName("GB18030")));
    InvalidFileException e =
        assertThrows(InvalidFileException.class, () -> BatchTable.read(gbk).forEach(_ -> {}));
    assertTrue(e.getMessage().contains("is not UTF-8"), e.getMessage());
  }

  @Test
  void pathsAreRelativeToTheFoldersFile() throws IOException {
    Path file = Files.writeString(folder.resolve("a.csv"), "prompt\nx\n");
    assertEquals(folder.toAbsolutePath(), BatchTable.read(file).folder());
  }
}
