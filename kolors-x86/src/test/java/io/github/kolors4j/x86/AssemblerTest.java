package io.github.kolors4j.x86;

import static io.github.kolors4j.x86.Operand.Register.R10;
import static io.github.kolors4j.x86.Operand.Register.R12;
import static io.github.kolors4j.x86.Operand.Register.R13;
import static io.github.kolors4j.x86.Operand.Register.R8;
import static io.github.kolors4j.x86.Operand.Register.R9;
import static io.github.kolors4j.x86.Operand.Register.RAX;
import static io.github.kolors4j.x86.Operand.Register.RBP;
import static io.github.kolors4j.x86.Operand.Register.RBX;
import static io.github.kolors4j.x86.Operand.Register.RCX;
import static io.github.kolors4j.x86.Operand.Register.RDI;
import static io.github.kolors4j.x86.Operand.Register.RDX;
import static io.github.kolors4j.x86.Operand.Register.RSI;
import static io.github.kolors4j.x86.Operand.Register.RSP;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.kolors4j.x86.Assembler.Label;
import io.github.kolors4j.x86.Operand.Mask;
import io.github.kolors4j.x86.Operand.Memory;
import io.github.kolors4j.x86.Operand.Tile;
import io.github.kolors4j.x86.Operand.Zmm;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

class AssemblerTest {
  private static final Zmm Z1 = new Zmm(1);
  private static final Zmm Z10 = new Zmm(10);
  private static final Zmm Z19 = new Zmm(19);
  private static final Zmm Z28 = new Zmm(28);
  private static final Mask K3 = new Mask(3);

  /** An instruction, and what objdump makes of it. */
  private record Line(Consumer<Assembler> instruction, String text) {}

  private static Line line(String text, Consumer<Assembler> instruction) {
    return new Line(instruction, text);
  }

  /**
   * Each method once, and each kind of register and of memory that its encoding treats by itself.
   */
  private static final List<Line> LINES =
      List.of(
          line("mov rdi,r10", x86 -> x86.mov(RDI, R10)),
          line("mov r8,rsp", x86 -> x86.mov(R8, RSP)),
          line("mov rax,QWORD PTR [rsp+0x10]", x86 -> x86.mov(RAX, Memory.at(RSP, 16))),
          line("mov r9,QWORD PTR [r12]", x86 -> x86.mov(R9, Memory.at(R12))),
          line("mov QWORD PTR [r13+0x0],rcx", x86 -> x86.mov(Memory.at(R13), RCX)),
          line("mov QWORD PTR [rbp-0x80],r8", x86 -> x86.mov(Memory.at(RBP, -128), R8)),
          line("mov QWORD PTR [rsi+0x80],rdx", x86 -> x86.mov(Memory.at(RSI, 128), RDX)),
          line("mov r12,0xffffffffffffffff", x86 -> x86.mov(R12, -1)),
          line("mov rbx,0x10", x86 -> x86.mov(RBX, 16)),
          line("lea r10,[rdi+rsi*2]", x86 -> x86.lea(R10, Memory.at(RDI, RSI, 2, 0))),
          line("lea rdi,[r13+r12*4+0x0]", x86 -> x86.lea(RDI, Memory.at(R13, R12, 4, 0))),
          line("lea rax,[r8+rbp*8-0x1000]", x86 -> x86.lea(RAX, Memory.at(R8, RBP, 8, -4096))),
          line("add r10,rsi", x86 -> x86.add(R10, RSI)),
          line(
              "add rax,0x400", x86 -> x86.add(RAX, 1024)), // by the short form without ModRM or not
          line("sub r9,r13", x86 -> x86.sub(R9, R13)),
          line("sub rdx,0x1", x86 -> x86.sub(RDX, 1)),
          line("and rsp,0xffffffffffffffc0", x86 -> x86.and(RSP, -64)),
          line("cmp r9,0x6", x86 -> x86.cmp(R9, 6)),
          line("cmp rcx,rax", x86 -> x86.cmp(RCX, RAX)),
          line("shl rdx,0x20", x86 -> x86.shl(RDX, 32)),
          line("shr r13,0x10", x86 -> x86.shr(R13, 16)),
          line("cmovb rax,r10", x86 -> x86.cmovb(RAX, R10)),
          line("bzhi rax,r12,rax", x86 -> x86.bzhi(RAX, R12, RAX)),
          line("bzhi r9,rdx,r10", x86 -> x86.bzhi(R9, RDX, R10)),
          line("push rbx", x86 -> x86.push(RBX)),
          line("push r12", x86 -> x86.push(R12)),
          line("pop r13", x86 -> x86.pop(R13)),
          line("ret", Assembler::ret),
          line("cpuid", Assembler::cpuid),
          line("xgetbv", Assembler::xgetbv),
          line("kmovd k3,eax", x86 -> x86.kmovd(K3, RAX)),
          line("kmovd k1,r9d", x86 -> x86.kmovd(new Mask(1), R9)),
          line("vzeroupper", Assembler::vzeroupper),
          line("vmovups zmm1,ZMMWORD PTR [rax]", x86 -> x86.vmovups(Z1, Memory.at(RAX))),
          line("vmovups zmm28,ZMMWORD PTR [r10+0x40]", x86 -> x86.vmovups(Z28, Memory.at(R10, 64))),
          line(
              "vmovups zmm19{k3}{z},ZMMWORD PTR [r12+r13*1+0x41]",
              x86 -> x86.vmovups(Z19, K3, Memory.at(R12, R13, 1, 65))),
          line(
              "vmovups ZMMWORD PTR [rcx+0x2000],zmm10",
              x86 -> x86.vmovups(Memory.at(RCX, 8192), Z10)),
          line(
              "vmovups ZMMWORD PTR [rcx-0x2000]{k3},zmm28",
              x86 -> x86.vmovups(Memory.at(RCX, -8192), K3, Z28)),
          line(
              "vmovdqu16 zmm1{k3}{z},ZMMWORD PTR [r8]",
              x86 -> x86.vmovdqu16(Z1, K3, Memory.at(R8))),
          line(
              "vpbroadcastd zmm28,DWORD PTR [r10+rsi*2+0xc]",
              x86 -> x86.vpbroadcastd(Z28, Memory.at(R10, RSI, 2, 12))),
          line(
              "vcvtph2ps zmm10{k3}{z},YMMWORD PTR [r9+0x20]",
              x86 -> x86.vcvtph2ps(Z10, K3, Memory.at(R9, 32))),
          line(
              "vaddps zmm19,zmm1,ZMMWORD PTR [rcx+0xc0]",
              x86 -> x86.vaddps(Z19, Z1, Memory.at(RCX, 192))),
          line(
              "vaddps zmm1{k3}{z},zmm19,ZMMWORD PTR [rcx]",
              x86 -> x86.vaddps(Z1, K3, Z19, Memory.at(RCX))),
          line("vsubps zmm1,zmm10,zmm19", x86 -> x86.vsubps(Z1, Z10, Z19)),
          line("vpxord zmm28,zmm28,zmm28", x86 -> x86.vpxord(Z28, Z28, Z28)),
          line("vpord zmm19,zmm1,zmm28", x86 -> x86.vpord(Z19, Z1, Z28)),
          line("vdpbf16ps zmm10,zmm28,zmm19", x86 -> x86.vdpbf16ps(Z10, Z28, Z19)),
          line("vdpbf16ps zmm19,zmm1,zmm10", x86 -> x86.vdpbf16ps(Z19, Z1, Z10)),
          line("vcvtne2ps2bf16 zmm28,zmm1,zmm10", x86 -> x86.vcvtne2ps2bf16(Z28, Z1, Z10)),
          line("vcvtneps2bf16 ymm19,zmm10", x86 -> x86.vcvtneps2bf16(Z19, Z10)),
          line("vpmovzxwd zmm10,ymm28", x86 -> x86.vpmovzxwd(Z10, Z28)),
          line("vpslld zmm19,zmm28,0x10", x86 -> x86.vpslld(Z19, Z28, 16)),
          line("vpunpckldq zmm28,zmm10,zmm1", x86 -> x86.vpunpckldq(Z28, Z10, Z1)),
          line("vpunpckhdq zmm1,zmm28,zmm10", x86 -> x86.vpunpckhdq(Z1, Z28, Z10)),
          line("vpunpcklqdq zmm10,zmm1,zmm28", x86 -> x86.vpunpcklqdq(Z10, Z1, Z28)),
          line("vpunpckhqdq zmm19,zmm19,zmm28", x86 -> x86.vpunpckhqdq(Z19, Z19, Z28)),
          line("vshufi32x4 zmm1,zmm19,zmm28,0xdd", x86 -> x86.vshufi32x4(Z1, Z19, Z28, 0xdd)),
          line("ldtilecfg [r12]", x86 -> x86.ldtilecfg(Memory.at(R12))),
          line("tilerelease", Assembler::tilerelease),
          line("tilezero tmm3", x86 -> x86.tilezero(new Tile(3))),
          line(
              "tileloadd tmm7,[r10+rsi*1+0x40]",
              x86 -> x86.tileloadd(new Tile(7), Memory.at(R10, RSI, 1, 64))),
          line(
              "tileloadd tmm4,[rdi+r8*1]",
              x86 -> x86.tileloadd(new Tile(4), Memory.at(RDI, R8, 1, 0))),
          line(
              "tilestored [r12+r13*1],tmm1",
              x86 -> x86.tilestored(Memory.at(R12, R13, 1, 0), new Tile(1))),
          line(
              "tdpbf16ps tmm2,tmm5,tmm7",
              x86 -> x86.tdpbf16ps(new Tile(2), new Tile(5), new Tile(7))));

  @Test
  void objdumpReadsEachInstructionAsItsName() throws IOException, InterruptedException {
    assumeTrue(Objdump.isThere(), "binutils is not installed");
    Assembler x86 = new Assembler();
    LINES.forEach(line -> line.instruction.accept(x86));
    assertEquals(
        LINES.stream().map(Line::text).toList(),
        Objdump.disassemble(x86.code()).stream().map(Objdump.Instruction::text).toList());
  }

  /** Encodings from the manual's tables, for where there is no objdump. */
  @Test
  void instructionsHaveTheManualsBytes() {
    Assembler x86 = new Assembler();
    x86.vdpbf16ps(new Zmm(0), new Zmm(1), new Zmm(2));
    x86.tdpbf16ps(new Tile(0), new Tile(1), new Tile(2));
    x86.tilerelease();
    x86.vzeroupper();
    x86.ret();
    String dot = "62f2764852c2"; // EVEX.512.F3.0F38.W0 52 /r
    String tile = "c4e26a5cc1"; // VEX.128.F3.0F38.W0 5C 11:rrr:bbb
    String release = "c4e27849c0"; // VEX.128.NP.0F38.W0 49 C0
    assertArrayEquals(
        HexFormat.of().parseHex(dot + tile + release + "c4e17877" + "c3"), x86.code());
  }

  @Test
  void jumpsReachTheirLabelsForthAndBack() throws IOException, InterruptedException {
    assumeTrue(Objdump.isThere(), "binutils is not installed");
    Assembler x86 = new Assembler();
    Label begin = x86.label();
    Label end = new Label();
    x86.jmp(end); // 5 bytes
    x86.je(begin); // 6 each
    x86.jne(begin);
    x86.jl(end);
    x86.jle(end);
    x86.jg(begin);
    x86.jge(end);
    x86.bind(end);
    x86.ret();
    List<String> expected = new ArrayList<>();
    expected.add("jmp 0x29");
    expected.add("je 0x0");
    expected.add("jne 0x0");
    expected.add("jl 0x29");
    expected.add("jle 0x29");
    expected.add("jg 0x0");
    expected.add("jge 0x29");
    expected.add("ret");
    assertEquals(
        expected, Objdump.disassemble(x86.code()).stream().map(Objdump.Instruction::text).toList());
  }

  @Test
  void whatCannotBeEncodedIsRefused() {
    assertThrows(IllegalArgumentException.class, () -> new Zmm(32));
    assertThrows(IllegalArgumentException.class, () -> new Mask(-1));
    assertThrows(IllegalArgumentException.class, () -> new Tile(8));
    assertThrows(IllegalArgumentException.class, () -> Memory.at(RAX, RSP, 1, 0));
    assertThrows(IllegalArgumentException.class, () -> Memory.at(RAX, RCX, 3, 0));
    Assembler x86 = new Assembler();
    assertThrows(IllegalArgumentException.class, () -> x86.tileloadd(new Tile(0), Memory.at(RAX)));
    x86.jmp(new Label());
    assertThrows(IllegalStateException.class, x86::code);
  }
}
