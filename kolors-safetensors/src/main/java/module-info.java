/** Reads and writes safetensors files: memory-mapped, validated, sharded. Useful alone. */
module io.github.kolors4j.safetensors {
  requires static org.jspecify;

  exports io.github.kolors4j.safetensors;
  exports io.github.kolors4j.safetensors.json;
}
