/** Tensors and their arithmetic on the JDK's Vector API, without native code. */
module io.github.kolors4j.tensor {
  requires org.slf4j;
  requires static jdk.incubator.vector;
  requires static jdk.management;
  requires static org.jspecify;

  uses io.github.kolors4j.tensor.Bf16Provider;

  exports io.github.kolors4j.tensor;
  exports io.github.kolors4j.tensor.ops;
  exports io.github.kolors4j.tensor.random;
}
