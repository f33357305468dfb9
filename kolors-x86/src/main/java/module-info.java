/** Products of BF16 by AVX-512 and AMX, in machine code that is made at run time. */
@SuppressWarnings("module") // x86 is a name, not a version
module io.github.kolors4j.x86 {
  requires io.github.kolors4j.tensor;
  requires static org.jspecify;

  provides io.github.kolors4j.tensor.Bf16Provider with
      io.github.kolors4j.x86.X86Provider;
}
