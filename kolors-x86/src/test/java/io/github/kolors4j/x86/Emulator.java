package io.github.kolors4j.x86;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A CPU of the instructions that the products are made of, as binutils reads them and the manual
 * defines them: so code for instructions that the machine lacks is run too. Memory is a segment
 * whose first byte has the address {@link Machine#BASE}.
 */
final class Emulator implements Machine {
  private static final long RETURN = -1;
  private static final List<String> REGISTERS =
      List.of(
          "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12",
          "r13", "r14", "r15");
  private static final List<String> ARGUMENTS = List.of("rdi", "rsi", "rdx", "rcx", "r8", "r9");

  private static final Pattern MEMORY =
      Pattern.compile(
          "(?:[A-Z]+ PTR )?\\[(\\w+)(?:\\+(\\w+)\\*(\\d))?(?:([+-])0x([0-9a-f]+))?\\](\\{k(\\d)\\})?");
  private static final Pattern VECTOR = Pattern.compile("zmm(\\d+)(\\{k(\\d)\\})?(\\{z\\})?");

  private final MemorySegment memory;
  private final Map<Integer, Objdump.Instruction> code = new HashMap<>();
  private final Map<Integer, Integer> next = new HashMap<>();
  private final long[] registers = new long[16];
  private final float[][] zmm = new float[32][16];
  private final long[] masks = new long[8];
  private final byte[][][] tiles = new byte[8][16][64];
  private boolean configured;
  private long first; // of the last comparison
  private long second;

  Emulator(byte[] bytes, MemorySegment memory) throws IOException, InterruptedException {
    this.memory = memory;
    List<Objdump.Instruction> instructions = Objdump.disassemble(bytes);
    for (int i = 0; i < instructions.size(); i++) {
      code.put(instructions.get(i).offset(), instructions.get(i));
      if (i + 1 < instructions.size()) {
        next.put(instructions.get(i).offset(), instructions.get(i + 1).offset());
      }
    }
  }

  @Override
  public long call(int entry, long... arguments) {
    long top = BASE + memory.byteSize() - STACK / 2;
    registers[4] = top;
    for (int i = 0; i < arguments.length; i++) {
      if (i < ARGUMENTS.size()) {
        registers[REGISTERS.indexOf(ARGUMENTS.get(i))] = arguments[i];
      } else {
        memory.set(ValueLayout.JAVA_LONG, at(top) + 8L * (i - ARGUMENTS.size()), arguments[i]);
      }
    }
    push(RETURN);
    long[] saved = registers.clone();
    long at = entry;
    while (at != RETURN) {
      at = run(code.get((int) at));
    }
    for (String name : List.of("rbx", "rbp", "r12", "r13", "r14", "r15")) {
      int index = REGISTERS.indexOf(name);
      check(registers[index] == saved[index], name + " is the caller's");
    }
    check(registers[4] == top, "rsp");
    check(!configured, "tiles are released");
    return registers[0];
  }

  private static void check(boolean holds, String what) {
    if (!holds) {
      throw new AssertionError(what);
    }
  }

  private long at(long address) {
    return address - BASE;
  }

  private void push(long value) {
    registers[4] -= 8;
    memory.set(ValueLayout.JAVA_LONG, at(registers[4]), value);
  }

  private long pop() {
    long value = memory.get(ValueLayout.JAVA_LONG, at(registers[4]));
    registers[4] += 8;
    return value;
  }

  /** Runs an instruction and says where the next one is. */
  private long run(Objdump.Instruction instruction) {
    String[] parts = instruction.text().split(" ", 2);
    String[] operands = parts.length == 1 ? new String[0] : parts[1].split(",");
    switch (parts[0]) {
      case "ret" -> {
        return pop();
      }
      case "jmp", "je", "jne", "jl", "jle", "jg", "jge" -> {
        if (isTaken(parts[0])) {
          return Long.decode(operands[0]);
        }
      }
      case "nop", "vzeroupper" -> {}
      case "push" -> push(register(operands[0]));
      case "pop" -> set(operands[0], pop());
      case "mov" -> mov(operands);
      case "lea" -> set(operands[0], address(operands[1]));
      case "add" -> arithmetic(operands, register(operands[0]) + value(operands[1]));
      case "sub" -> {
        first = register(operands[0]);
        second = value(operands[1]);
        set(operands[0], first - second);
      }
      case "and" -> arithmetic(operands, register(operands[0]) & value(operands[1]));
      case "shl" -> arithmetic(operands, register(operands[0]) << value(operands[1]));
      case "shr" -> arithmetic(operands, register(operands[0]) >>> value(operands[1]));
      case "cmp" -> {
        first = register(operands[0]);
        second = value(operands[1]);
      }
      case "cmovb" -> {
        if (Long.compareUnsigned(first, second) < 0) {
          set(operands[0], register(operands[1]));
        }
      }
      case "bzhi" -> {
        long bits = register(operands[2]) & 0xff;
        set(
            operands[0],
            bits > 63 ? register(operands[1]) : register(operands[1]) & (1L << bits) - 1);
      }
      case "kmovd" ->
          masks[operands[0].charAt(1) - '0'] = registers[dword(operands[1])] & 0xffffffffL;
      case "vmovups" -> vmovups(operands);
      case "vpbroadcastd" -> Arrays.fill(vector(operands[0]), floatAt(address(operands[1])));
      case "vpxord" -> Arrays.fill(vector(operands[0]), 0); // of a register with itself
      case "vaddps" -> vaddps(operands);
      case "vdpbf16ps" -> vdpbf16ps(operands);
      case "ldtilecfg" -> {
        byte[] configuration = new byte[64];
        MemorySegment.copy(
            memory, ValueLayout.JAVA_BYTE, at(address(operands[0])), configuration, 0, 64);
        check(Arrays.equals(configuration, AmxProduct.configuration()), "the configuration");
        configured = true;
      }
      case "tilerelease" -> configured = false;
      case "tilezero" ->
          Arrays.stream(tile(operands[0])).forEach(row -> Arrays.fill(row, (byte) 0));
      case "tileloadd" -> transfer(operands[1], tile(operands[0]), true);
      case "tilestored" -> transfer(operands[0], tile(operands[1]), false);
      case "tdpbf16ps" -> tdpbf16ps(tile(operands[0]), tile(operands[1]), tile(operands[2]));
      default -> throw new AssertionError(instruction.text());
    }
    return next.get(instruction.offset());
  }

  private boolean isTaken(String jump) {
    return switch (jump) {
      case "je" -> first == second;
      case "jne" -> first != second;
      case "jl" -> first < second;
      case "jle" -> first <= second;
      case "jg" -> first > second;
      case "jge" -> first >= second;
      default -> true;
    };
  }

  private void mov(String[] operands) {
    if (operands[0].contains("[")) {
      memory.set(ValueLayout.JAVA_LONG_UNALIGNED, at(address(operands[0])), register(operands[1]));
    } else {
      set(operands[0], value(operands[1]));
    }
  }

  /** What sets flags of which nothing is asked. */
  private void arithmetic(String[] operands, long result) {
    set(operands[0], result);
  }

  private long register(String name) {
    int index = REGISTERS.indexOf(name);
    check(index >= 0, name);
    return registers[index];
  }

  private static int dword(String name) {
    return REGISTERS.indexOf(
        name.startsWith("e") ? "r" + name.substring(1) : name.substring(0, name.length() - 1));
  }

  private void set(String name, long value) {
    registers[REGISTERS.indexOf(name)] = value;
  }

  private long value(String operand) {
    if (operand.contains("[")) {
      return memory.get(ValueLayout.JAVA_LONG_UNALIGNED, at(address(operand)));
    }
    return operand.startsWith("0x")
        ? Long.parseUnsignedLong(operand.substring(2), 16)
        : register(operand);
  }

  private long address(String operand) {
    Matcher matcher = MEMORY.matcher(operand);
    check(matcher.matches(), operand);
    long address = register(matcher.group(1));
    if (matcher.group(2) != null) {
      address += register(matcher.group(2)) * Long.parseLong(matcher.group(3));
    }
    if (matcher.group(4) != null) {
      long displacement = Long.parseUnsignedLong(matcher.group(5), 16);
      address += matcher.group(4).equals("+") ? displacement : -displacement;
    }
    return address;
  }

  private float floatAt(long address) {
    return memory.get(ValueLayout.JAVA_FLOAT_UNALIGNED, at(address));
  }

  private float[] vector(String operand) {
    Matcher matcher = VECTOR.matcher(operand);
    check(matcher.matches(), operand);
    return zmm[Integer.parseInt(matcher.group(1))];
  }

  private long mask(Matcher matcher, int group) {
    return matcher.matches() && matcher.group(group) != null
        ? masks[Integer.parseInt(matcher.group(group))]
        : -1;
  }

  private void vmovups(String[] operands) {
    if (operands[0].contains("[")) {
      long mask = mask(MEMORY.matcher(operands[0]), 7);
      long address = address(operands[0]);
      for (int i = 0; i < 16; i++) {
        if ((mask >> i & 1) != 0) {
          memory.set(
              ValueLayout.JAVA_FLOAT_UNALIGNED, at(address + 4L * i), vector(operands[1])[i]);
        }
      }
      return;
    }
    long mask = mask(VECTOR.matcher(operands[0]), 3);
    for (int i = 0; i < 16; i++) {
      vector(operands[0])[i] = (mask >> i & 1) != 0 ? floatAt(address(operands[1]) + 4L * i) : 0;
    }
  }

  private void vaddps(String[] operands) {
    long mask = mask(VECTOR.matcher(operands[0]), 3);
    for (int i = 0; i < 16; i++) {
      vector(operands[0])[i] =
          (mask >> i & 1) != 0
              ? vector(operands[1])[i] + floatAt(address(operands[2]) + 4L * i)
              : 0;
    }
  }

  private void vdpbf16ps(String[] operands) {
    float[] to = vector(operands[0]);
    for (int i = 0; i < 16; i++) {
      int x = Float.floatToRawIntBits(vector(operands[1])[i]);
      int y = Float.floatToRawIntBits(vector(operands[2])[i]);
      float sum = fma(high(x), high(y), to[i]);
      to[i] = fma(low(x), low(y), sum);
    }
  }

  private byte[][] tile(String operand) {
    check(configured, "a tile before its configuration");
    return tiles[operand.charAt(3) - '0'];
  }

  /** Rows of a tile, a stride apart, which is the index of the operand. */
  private void transfer(String operand, byte[][] tile, boolean load) {
    Matcher matcher = MEMORY.matcher(operand);
    check(matcher.matches() && matcher.group(2) != null, operand);
    long stride = register(matcher.group(2));
    long begin = address(operand) - stride;
    for (int i = 0; i < 16; i++) {
      MemorySegment row = memory.asSlice(at(begin + i * stride), 64);
      if (load) {
        MemorySegment.copy(row, ValueLayout.JAVA_BYTE, 0, tile[i], 0, 64);
      } else {
        MemorySegment.copy(tile[i], 0, row, ValueLayout.JAVA_BYTE, 0, 64);
      }
    }
  }

  /** The manual's operation: even and odd terms each for itself, then their sum. */
  private static void tdpbf16ps(byte[][] to, byte[][] first, byte[][] second) {
    for (int m = 0; m < 16; m++) {
      MemorySegment sums = MemorySegment.ofArray(to[m]);
      for (int n = 0; n < 16; n++) {
        float even = 0;
        float odd = 0;
        for (int k = 0; k < 16; k++) {
          int x = MemorySegment.ofArray(first[m]).get(ValueLayout.JAVA_INT_UNALIGNED, 4L * k);
          int y = MemorySegment.ofArray(second[k]).get(ValueLayout.JAVA_INT_UNALIGNED, 4L * n);
          even = fma(low(x), low(y), even);
          odd = fma(high(x), high(y), odd);
        }
        float before = sums.get(ValueLayout.JAVA_FLOAT_UNALIGNED, 4L * n);
        float sum = Bf16.flushed(Bf16.flushed(before) + Bf16.flushed(even + odd));
        sums.set(ValueLayout.JAVA_FLOAT_UNALIGNED, 4L * n, sum);
      }
    }
  }

  private static float low(int pair) {
    return Float.intBitsToFloat(pair << 16);
  }

  private static float high(int pair) {
    return Float.intBitsToFloat(pair & 0xffff0000);
  }

  private static float fma(float x, float y, float sum) {
    return Bf16.flushed(Math.fma(Bf16.flushed(x), Bf16.flushed(y), Bf16.flushed(sum)));
  }
}
