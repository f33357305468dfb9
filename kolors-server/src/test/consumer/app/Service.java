package app;

import io.github.kolors4j.KolorsPipeline;
import io.github.kolors4j.mini.MiniCheckpoint;
import io.github.kolors4j.server.KolorsServer;

/** An application that serves pictures until its input ends. */
public class Service {
  public static void main(String[] args) throws Exception {
    try (KolorsPipeline pipeline = KolorsPipeline.builder(MiniCheckpoint.directory()).open();
        KolorsServer server = KolorsServer.builder(pipeline).port(0).queueCapacity(16).start()) {
      System.out.println("serving " + server.uri());
      System.in.read();
    }
    System.out.println("stopped " + Service.class.getModule());
  }
}
