package app;

import io.github.kolors4j.springai.KolorsImageOptions;
import java.util.Base64;
import org.springframework.ai.image.ImageModel;
import org.springframework.ai.image.ImagePrompt;
import org.springframework.ai.image.ImageResponse;
import org.springframework.stereotype.Service;

/** The service that {@code docs/spring.md} shows. */
@Service
class Pictures {
  private final ImageModel model;

  Pictures(ImageModel model) {
    this.model = model;
  }

  byte[] png(String prompt) {
    ImageResponse response =
        model.call(new ImagePrompt(prompt, KolorsImageOptions.builder().seed(66L).build()));
    return Base64.getDecoder().decode(response.getResult().getOutput().getB64Json());
  }
}
