package io.github.kolors4j.examples.spring;

import io.github.kolors4j.service.QueueFullException;
import io.github.kolors4j.springai.KolorsImageGenerationMetadata;
import io.github.kolors4j.springai.KolorsImageOptions;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.springframework.ai.content.Media;
import org.springframework.ai.image.ImageGeneration;
import org.springframework.ai.image.ImageMessage;
import org.springframework.ai.image.ImageModel;
import org.springframework.ai.image.ImagePrompt;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.http.ProblemDetail;
import org.springframework.http.ResponseEntity;
import org.springframework.util.MimeType;
import org.springframework.web.bind.annotation.ExceptionHandler;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.multipart.MultipartFile;

/** Pictures from prompts, and from other pictures. */
@RestController
class PictureController {
  private static final String SEED = "X-Seed";

  private final ImageModel model;

  PictureController(ImageModel model) {
    this.model = model;
  }

  /** {@code GET /picture?prompt=一只瓢虫&seed=0}. What is left out is as the properties have it. */
  @GetMapping("/picture")
  ResponseEntity<byte[]> picture(
      @RequestParam String prompt,
      @RequestParam(required = false) Long seed,
      @RequestParam(required = false) Integer steps) {
    return png(
        new ImagePrompt(
            prompt, KolorsImageOptions.builder().seed(seed).numInferenceSteps(steps).build()));
  }

  /** {@code curl -F prompt=… -F image=@cat.jpg -F strength=0.6 …/picture}. */
  @PostMapping("/picture")
  ResponseEntity<byte[]> redrawn(
      @RequestParam String prompt,
      @RequestParam MultipartFile image,
      @RequestParam(required = false) Double strength,
      @RequestParam(required = false) Long seed,
      @RequestParam(required = false) Integer steps) {
    Media media = new Media(MimeType.valueOf("image/*"), image.getResource());
    return png(
        new ImagePrompt(
            new ImageMessage(prompt, null, List.of(media), Map.of()),
            KolorsImageOptions.builder()
                .strength(strength)
                .seed(seed)
                .numInferenceSteps(steps)
                .build()));
  }

  private ResponseEntity<byte[]> png(ImagePrompt prompt) {
    ImageGeneration picture = model.call(prompt).getResult();
    ResponseEntity.BodyBuilder response = ResponseEntity.ok().contentType(MediaType.IMAGE_PNG);
    if (picture.getMetadata() instanceof KolorsImageGenerationMetadata made) {
      response.header(SEED, Long.toUnsignedString(made.seed()));
    }
    return response.body(Base64.getDecoder().decode(picture.getOutput().getB64Json()));
  }

  /** What the model cannot make is the caller's fault, and the message says what to do. */
  @ExceptionHandler
  ProblemDetail refused(IllegalArgumentException e) {
    return ProblemDetail.forStatusAndDetail(HttpStatus.BAD_REQUEST, e.getMessage());
  }

  @ExceptionHandler
  ResponseEntity<ProblemDetail> busy(QueueFullException e) {
    return ResponseEntity.status(HttpStatus.TOO_MANY_REQUESTS)
        .header(HttpHeaders.RETRY_AFTER, "30")
        .body(ProblemDetail.forStatusAndDetail(HttpStatus.TOO_MANY_REQUESTS, e.getMessage()));
  }
}
