/**
 * Machine code for x86-64, made at run time: an assembler, the memory that code runs in, and the
 * kernels for AVX512-BF16 and AMX-BF16. Instructions are named and encoded as in Intel's Software
 * Developer's Manual, volume 2.
 */
@NullMarked
package io.github.kolors4j.x86;

import org.jspecify.annotations.NullMarked;
