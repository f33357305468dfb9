package io.github.kolors4j.request;

import io.github.kolors4j.controlnet.ControlNet;
import io.github.kolors4j.image.KolorsImage;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A picture that leads through a ControlNet as JSON. The ControlNet's folder is named, not held.
 */
final class ControlNetJson {
  private static final String FOLDER = "folder";
  private static final String IDENTITY = "identity";
  private static final String CONTROL_IMAGE = "control_image";
  private static final String SCALE = "controlnet_conditioning_scale";
  private static final String START = "control_guidance_start";
  private static final String END = "control_guidance_end";
  private static final String GUESS_MODE = "guess_mode";

  private ControlNetJson() {}

  static Map<String, Object> write(ControlNetInput input) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put(FOLDER, input.controlNet().directory().toString());
    json.put(IDENTITY, input.controlNet().identity());
    json.put(CONTROL_IMAGE, RequestJson.picture(input.image()));
    json.put(SCALE, input.conditioningScale());
    json.put(START, input.guidanceStart());
    json.put(END, input.guidanceEnd());
    json.put(GUESS_MODE, input.guessMode());
    return json;
  }

  /** The input of an object, whose ControlNet is looked at when it is used. */
  static ControlNetInput read(String key, Object value) {
    if (!(value instanceof Map<?, ?> given)) {
      throw RequestJsonReader.fault(key, value, "an object");
    }
    Map<String, Object> object = new LinkedHashMap<>();
    given.forEach((name, each) -> object.put(String.valueOf(name), each));
    RequestJsonReader json = new RequestJsonReader(object);
    ControlNet net =
        ControlNet.reference(
            path(key, json.text(FOLDER).orElseThrow(() -> missing(key, FOLDER))),
            json.text(IDENTITY).orElseThrow(() -> missing(key, IDENTITY)));
    KolorsImage image =
        json.value(CONTROL_IMAGE, RequestJson::pictureOf)
            .orElseThrow(() -> missing(key, CONTROL_IMAGE));
    ControlNetInput plain = ControlNetInput.of(net, image);
    ControlNetInput input =
        new ControlNetInput(
            net,
            image,
            json.number(SCALE).orElse(plain.conditioningScale()),
            json.number(START).orElse(plain.guidanceStart()),
            json.number(END).orElse(plain.guidanceEnd()),
            json.flag(GUESS_MODE).orElse(plain.guessMode()));
    json.end();
    return input;
  }

  private static Path path(String key, String folder) {
    try {
      return Path.of(folder);
    } catch (InvalidPathException e) {
      throw RequestJsonReader.fault(key, folder, "a folder's name");
    }
  }

  private static IllegalArgumentException missing(String key, String part) {
    return new IllegalArgumentException(
        "[request] an entry of %s has no %s: give it.".formatted(key, part));
  }
}
