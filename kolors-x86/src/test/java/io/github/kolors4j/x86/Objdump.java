package io.github.kolors4j.x86;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The disassembler of binutils. */
final class Objdump {
  private static final Pattern LINE = Pattern.compile("\\s*([0-9a-f]+):\\s+(.+?)\\s*(?:#.*)?");

  private Objdump() {}

  /**
   * An instruction.
   *
   * @param offset where it begins
   * @param text in Intel's syntax, one space between name and operands
   */
  record Instruction(int offset, String text) {}

  static boolean isThere() {
    try {
      return run("objdump", "--version").contains("GNU objdump");
    } catch (IOException | InterruptedException _) {
      return false;
    }
  }

  static List<Instruction> disassemble(byte[] code) throws IOException, InterruptedException {
    Path file = Files.createTempFile("kolors4j", ".bin");
    try {
      Files.write(file, code);
      String text =
          run(
              "objdump",
              "-D",
              "--no-show-raw-insn",
              "-b",
              "binary",
              "-m",
              "i386:x86-64",
              "-M",
              "intel",
              file.toString());
      List<Instruction> instructions = new ArrayList<>();
      for (String line : text.lines().toList()) {
        Matcher matcher = LINE.matcher(line);
        if (matcher.matches()) {
          instructions.add(
              new Instruction(
                  Integer.parseInt(matcher.group(1), 16),
                  matcher.group(2).replaceAll("\\s+", " ")));
        }
      }
      return instructions;
    } finally {
      Files.delete(file);
    }
  }

  private static String run(String... command) throws IOException, InterruptedException {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (process.waitFor() != 0) {
      throw new IOException(output);
    }
    return output;
  }
}
