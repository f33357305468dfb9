package io.github.kolors4j.checkpoint;

import io.github.kolors4j.safetensors.TensorInfo;
import io.github.kolors4j.safetensors.TensorSource;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;

/**
 * A SHA-256 over what something is made of, so that it is known again. For one thread, and for one
 * hash.
 */
public final class Identity {
  /**
   * Tensors that are looked into, as headers alone do not tell a fine-tuned model from its parent.
   * From a cold disk each is one read.
   */
  private static final int SAMPLES = 64;

  /** Bytes of each sample. */
  private static final long SAMPLE_BYTES = 256;

  private final MessageDigest hash = sha256();

  /** A hash of nothing yet. */
  public Identity() {}

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e); // every JDK has it
    }
  }

  /**
   * Adds a text, and a newline that keeps it apart from the next.
   *
   * @param text any
   * @return this
   */
  public Identity add(String text) {
    hash.update(text.getBytes(StandardCharsets.UTF_8));
    hash.update((byte) '\n');
    return this;
  }

  /**
   * Adds bytes, without any mark at their end.
   *
   * @param bytes what remains of it
   * @return this
   */
  public Identity add(ByteBuffer bytes) {
    hash.update(bytes);
    return this;
  }

  /**
   * The hash, after which nothing can be added.
   *
   * @return 64 hexadecimal digits
   */
  public String digits() {
    return HexFormat.of().formatHex(hash.digest());
  }

  /**
   * The SHA-256 of bytes, as {@code sha256sum} has it.
   *
   * @param bytes of a file, as a rule
   * @return 64 hexadecimal digits
   */
  public static String of(byte[] bytes) {
    return new Identity().add(ByteBuffer.wrap(bytes)).digits();
  }

  /**
   * Of a file's tensors, without reading all of it.
   *
   * @param files open tensors
   * @return 64 hexadecimal digits
   */
  public static String of(TensorSource files) {
    return ofWeights("", files, List.of());
  }

  /** Of a model's weights, without reading gigabytes. */
  static String ofWeights(String config, TensorSource files, List<String> adapters) {
    Identity identity = new Identity().add(config);
    List<String> names = files.names().stream().sorted().toList();
    for (String name : names) {
      TensorInfo tensor = files.find(name).orElseThrow();
      identity.add(name + " " + tensor.dtype() + " " + tensor.shape());
    }
    int samples = Math.min(SAMPLES, names.size());
    for (int i = 0; i < samples; i++) {
      var data = files.data(names.get((int) ((long) i * names.size() / samples)));
      identity.add(data.asSlice(0, Math.min(SAMPLE_BYTES, data.byteSize())).asByteBuffer());
    }
    adapters.forEach(identity::add);
    return identity.digits();
  }
}
