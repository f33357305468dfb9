package io.github.kolors4j.x86;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;

/**
 * <a href="https://github.com/bochs-emu/Bochs">Bochs</a>, an emulator of whole computers whose
 * authors have read the manual for themselves: a Sapphire Rapids whose ROM is {@code boot.s} and
 * the code. It faults where that CPU would, at what the manual forbids of tiles too. Needs Bochs 3
 * or newer, configured with {@code --enable-x86-64 --enable-avx --enable-evex --enable-amx
 * --with-nogui}, and binutils.
 *
 * @param program the emulator
 * @param code what runs
 * @param memory what it sees from {@link Machine#BASE} on
 */
record Bochs(Path program, byte[] code, MemorySegment memory) implements Machine {
  private static final int ROM = 512 * 1024;
  private static final int BOOT = 4096;
  private static final int SETTINGS = ROM - BOOT + 0xe00;

  /** What of the ROM is copied to memory. */
  private static final int COPIED = 0x70000;

  private static final int CALL_BYTES = 120;
  private static final int ARGUMENTS = 10;

  @Override
  public long call(int entry, long... arguments) throws IOException, InterruptedException {
    int codeAt = Math.ceilDiv((int) memory.byteSize(), 64) * 64;
    int callAt = codeAt + Math.ceilDiv(code.length, 64) * 64;
    int end = callAt + CALL_BYTES;
    check(end <= COPIED, end + " bytes");
    ByteBuffer rom = ByteBuffer.allocate(ROM).order(ByteOrder.LITTLE_ENDIAN);
    rom.put(memory.toArray(ValueLayout.JAVA_BYTE)).put(codeAt, code);
    rom.putLong(callAt, BASE + codeAt + entry);
    long[] all = Arrays.copyOf(arguments, ARGUMENTS);
    for (int i = 0; i < ARGUMENTS; i++) {
      rom.putLong(callAt + 8 * (i + 1), all[i]);
    }
    rom.putLong(callAt + 88, BASE + memory.byteSize() - STACK / 2);
    rom.put(ROM - BOOT, boot());
    long[] settings = {BASE + callAt, 1, BASE, end};
    for (int i = 0; i < settings.length; i++) {
      rom.putLong(SETTINGS + 8 * i, settings[i]);
    }
    ByteBuffer after = ByteBuffer.wrap(run(rom.array())).order(ByteOrder.LITTLE_ENDIAN);
    check(after.getLong(callAt + 104) == 0, "registers are the caller's");
    check(after.getLong(callAt + 112) == 0, "tiles are released");
    MemorySegment.copy(after.array(), 0, memory, ValueLayout.JAVA_BYTE, 0, (int) memory.byteSize());
    return after.getLong(callAt + 96);
  }

  private static void check(boolean holds, String what) {
    if (!holds) {
      throw new AssertionError(what);
    }
  }

  /** Assembles what boots. */
  private static byte[] boot() throws IOException, InterruptedException {
    Path folder = Files.createTempDirectory("kolors4j");
    Path source = folder.resolve("boot.s");
    Path object = folder.resolve("boot.o");
    Path binary = folder.resolve("boot.bin");
    try (InputStream in = Bochs.class.getResourceAsStream("boot.s")) {
      Files.copy(Objects.requireNonNull(in), source);
      execute(folder, "as", "-o", object.toString(), source.toString());
      execute(folder, "objcopy", "-O", "binary", "-j", ".text", object.toString(), "boot.bin");
      return Files.readAllBytes(binary);
    } finally {
      delete(folder);
    }
  }

  /** Runs a ROM and reads what it prints. */
  private byte[] run(byte[] rom) throws IOException, InterruptedException {
    Path folder = Files.createTempDirectory("kolors4j");
    try {
      Files.write(folder.resolve("rom.bin"), rom);
      Files.write(folder.resolve("vga.bin"), new byte[512]); // it insists on one
      Files.write(
          folder.resolve("bochsrc"),
          List.of(
              "romimage: file=rom.bin, address=0xfff80000, options=none",
              "cpu: model=sapphire_rapids, reset_on_triple_fault=0",
              "memory: guest=32, host=32",
              "port_e9_hack: enabled=1",
              "display_library: nogui",
              "log: bochs.log",
              "vgaromimage: file=vga.bin",
              "panic: action=fatal"));
      String printed = execute(folder, program.toString(), "-q", "-f", "bochsrc");
      int begin = printed.indexOf('<');
      int end = printed.indexOf('>', begin);
      if (begin < 0 || end < 0) {
        throw new AssertionError(printed + Files.readString(folder.resolve("bochs.log")));
      }
      return HexFormat.of().parseHex(printed, begin + 1, end);
    } finally {
      delete(folder);
    }
  }

  private static String execute(Path folder, String... command)
      throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(command).directory(folder.toFile()).redirectErrorStream(true).start();
    process.getOutputStream().close();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    process.waitFor(); // how it ends says nothing: a shutdown is a failure for Bochs
    return output;
  }

  private static void delete(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.toList()) {
        Files.delete(file);
      }
    }
    Files.delete(folder);
  }
}
