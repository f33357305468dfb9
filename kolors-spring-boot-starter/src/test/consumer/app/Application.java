package app;

import java.security.MessageDigest;
import java.util.HexFormat;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.SpringBootVersion;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.boot.health.contributor.HealthIndicator;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.core.SpringVersion;

/** An application of Spring Boot that draws. */
@SpringBootApplication
public class Application {
  public static void main(String[] args) throws Exception {
    try (ConfigurableApplicationContext context = SpringApplication.run(Application.class, args)) {
      System.out.println("boot " + SpringBootVersion.getVersion());
      System.out.println("spring " + SpringVersion.getVersion());
      byte[] png = context.getBean(Pictures.class).png("一只瓢虫,蓝色背景");
      byte[] hash = MessageDigest.getInstance("SHA-256").digest(png);
      System.out.println("png " + HexFormat.of().formatHex(hash));
      System.out.println("health " + health(context));
    }
  }

  /** Of the model, where the application has Boot's health. */
  private static String health(ConfigurableApplicationContext context) {
    try {
      HealthIndicator health = context.getBean("kolorsHealthIndicator", HealthIndicator.class);
      return health.health().getStatus().toString();
    } catch (NoClassDefFoundError e) {
      return "absent";
    }
  }
}
