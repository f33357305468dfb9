package io.github.kolors4j.server;

import java.io.IOException;
import org.eclipse.jetty.io.QuietException;

/** Nobody is there to be answered, which is no fault of anybody. */
final class ClientGoneException extends IOException implements QuietException {
  private static final long serialVersionUID = 1;

  ClientGoneException() {
    super("the client has left");
  }
}
