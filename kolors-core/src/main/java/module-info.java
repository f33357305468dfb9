/** The Kolors model: tokenizer, text encoder, U-Net, VAE, schedulers and the pipeline. */
module io.github.kolors4j {
  requires transitive io.github.kolors4j.safetensors;
  requires transitive io.github.kolors4j.tensor;
  requires transitive java.desktop;
  requires java.net.http;
  requires jdk.jfr;
  requires org.slf4j;
  requires static org.jspecify;

  uses io.github.kolors4j.image.PictureDecoder;

  exports io.github.kolors4j;
  exports io.github.kolors4j.adapter;
  exports io.github.kolors4j.batch;
  exports io.github.kolors4j.chatglm;
  exports io.github.kolors4j.checkpoint;
  exports io.github.kolors4j.clip;
  exports io.github.kolors4j.controlnet;
  exports io.github.kolors4j.estimate;
  exports io.github.kolors4j.hub;
  exports io.github.kolors4j.image;
  exports io.github.kolors4j.ipadapter;
  exports io.github.kolors4j.metadata;
  exports io.github.kolors4j.prompts;
  exports io.github.kolors4j.request;
  exports io.github.kolors4j.scheduler;
  exports io.github.kolors4j.service;
  exports io.github.kolors4j.tap;
  exports io.github.kolors4j.tokenizer;
  exports io.github.kolors4j.unet;
  exports io.github.kolors4j.vae;
}
