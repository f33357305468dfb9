package io.github.kolors4j.server;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.TimeoutException;
import org.eclipse.jetty.io.AbstractEndPoint;
import org.eclipse.jetty.io.Connection;
import org.eclipse.jetty.io.EofException;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.util.BufferUtil;
import org.eclipse.jetty.util.Callback;

/**
 * Notices that a client hangs up while its request is being worked on. HTTP/1.1 says so in no other
 * way than by the end of what can be read; so this reads, while nobody else does: after the body of
 * the request, and before its answer. It must be closed before the answer is complete.
 */
final class ClientWatch implements AutoCloseable {
  /** What a client may send ahead of its answer, the next request, is handed back. */
  private static final int SENT_AHEAD = 4096;

  private final AbstractEndPoint endPoint;
  private final Runnable gone;
  private ByteBuffer ahead = BufferUtil.EMPTY_BUFFER;
  private boolean closed;

  private ClientWatch(AbstractEndPoint endPoint, Runnable gone) {
    this.endPoint = endPoint;
    this.gone = gone;
  }

  /**
   * Watches a client whose request has been read to its end.
   *
   * @param request the request
   * @param gone called once, on another thread, when the client has hung up
   */
  static ClientWatch of(Request request, Runnable gone) {
    // Time without a byte is no fault while we compute; a write that hangs still ends.
    request.addIdleTimeoutListener(_ -> false);
    AbstractEndPoint endPoint =
        (AbstractEndPoint) request.getConnectionMetaData().getConnection().getEndPoint();
    ClientWatch watch = new ClientWatch(endPoint, gone);
    watch.register();
    return watch;
  }

  private void register() {
    endPoint.tryFillInterested(
        new Callback() {
          @Override
          public void succeeded() {
            look();
          }

          @Override
          public void failed(Throwable cause) {
            if (cause instanceof TimeoutException) {
              again();
            } else {
              left();
            }
          }
        });
  }

  private synchronized void again() {
    if (!closed) {
      register();
    }
  }

  private void look() {
    synchronized (this) {
      if (closed) {
        return;
      }
      ByteBuffer read = BufferUtil.allocate(SENT_AHEAD);
      try {
        int count = endPoint.fill(read);
        if (count == 0) { // a false alarm, as of a connection that is used again
          register();
          return;
        }
        if (count > 0) {
          ahead = read; // it is still there
          return;
        }
      } catch (IOException _) {
        // it is not
      }
    }
    left();
  }

  private void left() {
    synchronized (this) {
      if (closed) {
        return;
      }
      closed = true;
    }
    gone.run();
  }

  /** Lets the connection read for itself again. */
  @Override
  public void close() {
    synchronized (this) {
      closed = true;
    }
    endPoint.getFillInterest().onFail(new EofException("no longer watched"));
    if (ahead.hasRemaining() && endPoint.getConnection() instanceof Connection.UpgradeTo reader) {
      reader.onUpgradeTo(ahead);
    }
  }
}
