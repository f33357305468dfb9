package io.github.kolors4j.tensor;

import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The memory and the threads that one request works with.
 *
 * <p>Tensors are borrowed from the innermost open {@link Scope} and given back together when it
 * closes, for the next tensor to use; so a loop that repeats the same shapes allocates nothing
 * after its first round. A workspace belongs to the one thread that runs the request; the
 * operations split their work over {@link #threads()} inside.
 */
public final class Workspace implements AutoCloseable {
  private final ThreadPool threads;
  private final Products products;

  private final Deque<Scope> scopes = new ArrayDeque<>();
  private final WorkMemory work;

  /**
   * An empty workspace.
   *
   * @param threads the threads that operations may use; not closed with the workspace
   */
  public Workspace(ThreadPool threads) {
    this(threads, Products.F32);
  }

  /**
   * An empty workspace for another precision.
   *
   * @param threads the threads that operations may use; not closed with the workspace
   * @param products who computes the products of operations on its tensors
   */
  public Workspace(ThreadPool threads, Products products) {
    this.threads = threads;
    this.products = products;
    scopes.push(new Scope());
    this.work = threads.borrowMemory(); // last: nothing can fail with it any more
  }

  /**
   * The threads that operations on this workspace's tensors use.
   *
   * @return the pool
   */
  public ThreadPool threads() {
    return threads;
  }

  /**
   * Who computes the products of operations on this workspace's tensors.
   *
   * @return {@link Products#F32}, or those that it was made with
   */
  public Products products() {
    return products;
  }

  /**
   * A tensor whose values are undefined until written.
   *
   * @param shape its shape
   * @return the tensor, of the innermost scope
   */
  public Tensor tensor(Shape shape) {
    checkOpen("no tensor can be made from it");
    Scope scope = scopes.element();
    Buffer buffer = new Buffer(work.arrays().lend(shape.size()));
    scope.buffers.add(buffer);
    return new Tensor(shape, buffer);
  }

  /**
   * A tensor whose values are undefined until written.
   *
   * @param dims its extents
   * @return the tensor, of the innermost scope
   */
  public Tensor tensor(int... dims) {
    return tensor(Shape.of(dims));
  }

  /**
   * A tensor with a copy of the given values.
   *
   * @param values as many as the extents ask for
   * @param dims its extents
   * @return the tensor, of the innermost scope
   * @throws IllegalArgumentException if the number of values is not that of the extents
   */
  public Tensor copyOf(float[] values, int... dims) {
    Shape shape = Shape.of(dims);
    if (values.length != shape.size()) {
      throw new IllegalArgumentException(
          "[tensor] %s values do not fill %s, which has %s."
              .formatted(values.length, shape, shape.size()));
    }
    Tensor tensor = tensor(shape);
    System.arraycopy(values, 0, tensor.data(), 0, values.length);
    return tensor;
  }

  /**
   * A buffer outside of the heap for panels that all threads share: one at a time, it is valid
   * until the next call.
   *
   * @param length how many values it must have at least
   * @return the buffer, of undefined content, which begins on a cache line; an index into it counts
   *     values
   */
  public MemorySegment panels(int length) {
    checkOpen("no panels can be had from it");
    return work.panels(length);
  }

  /**
   * Opens a scope: tensors made from now on are given back when it closes.
   *
   * @return the scope, to be closed by the same thread, innermost first
   */
  public Scope scope() {
    checkOpen("no scope can be opened");
    Scope scope = new Scope();
    scopes.push(scope);
    return scope;
  }

  /**
   * Gives the memory that no tensor uses at the moment back to the collector, where it is more than
   * a few megabytes. For the point where other shapes follow, which could not use it.
   */
  public void trim() {
    if (isOpen() && !work.isWorthKeeping()) {
      work.clear();
    }
  }

  /**
   * Gives all memory back: to the next workspace on these threads, or to the collector where it is
   * much. Tensors of this workspace are invalid afterwards.
   */
  @Override
  public void close() {
    if (isOpen()) {
      while (isOpen()) {
        scopes.element().close();
      }
      threads.giveBack(work);
    }
  }

  private boolean isOpen() {
    return !scopes.isEmpty();
  }

  private void checkOpen(String consequence) {
    if (!isOpen()) {
      throw new IllegalStateException("[workspace] is closed: " + consequence + ".");
    }
  }

  /** The memory of one tensor and its views. */
  final class Buffer {
    private FreeArrays.@Nullable Memory memory;

    private Buffer(FreeArrays.Memory memory) {
      this.memory = memory;
    }

    float[] array() {
      return memory().array();
    }

    private FreeArrays.Memory memory() {
      if (memory == null) {
        throw new IllegalStateException(
            "[tensor] used after its scope was closed: keep what must outlive a scope.");
      }
      return memory;
    }

    Workspace workspace() {
      return Workspace.this;
    }

    private void release() {
      work.arrays().giveBack(memory());
      memory = null;
    }
  }

  /** The life of the tensors that are made while it is the innermost one. */
  public final class Scope implements AutoCloseable {
    private final List<Buffer> buffers = new ArrayList<>();

    private Scope() {}

    /**
     * Hands a tensor on to the enclosing scope, so that it outlives this one.
     *
     * @param tensor a tensor of this scope, or of an outer one (then nothing changes)
     * @return the same tensor
     */
    public Tensor keep(Tensor tensor) {
      if (buffers.remove(tensor.buffer())) {
        var outer = scopes.iterator();
        while (outer.next() != this) {
          // an inner scope
        }
        outer.next().buffers.add(tensor.buffer());
      }
      return tensor;
    }

    /**
     * Gives a tensor's memory back before the scope ends.
     *
     * @param tensor a tensor of this scope that is not needed any more, nor any view of it; one of
     *     an outer scope is left alone
     */
    public void release(Tensor tensor) {
      if (buffers.remove(tensor.buffer())) {
        tensor.buffer().release();
      }
    }

    /**
     * Gives the memory of this scope's tensors back to the workspace; no object is made, so that
     * this works when the heap is full.
     */
    @Override
    public void close() {
      while (!scopes.isEmpty() && scopes.contains(this)) {
        Scope inner = scopes.pop();
        for (int i = 0; i < inner.buffers.size(); i++) { // an iterator is an object
          inner.buffers.get(i).release();
        }
        inner.buffers.clear();
        if (inner == this) {
          break;
        }
      }
    }
  }
}
