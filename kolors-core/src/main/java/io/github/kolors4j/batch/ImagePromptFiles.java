package io.github.kolors4j.batch;

import io.github.kolors4j.ipadapter.IpAdapter;
import io.github.kolors4j.request.ImagePrompt;
import io.github.kolors4j.request.ImageRequest;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * The IP-Adapters of a row.
 *
 * @param prompts one for each, in their order
 */
record ImagePromptFiles(List<Prompt> prompts) implements FileArgument {

  /**
   * An IP-Adapter.
   *
   * @param adapter which one
   * @param images what it looks at, one or several
   * @param masks where each of them counts; none for everywhere
   * @param scale how much they count, as {@link ImagePrompt#at(String)} reads it
   */
  record Prompt(IpAdapter adapter, List<RowPicture> images, List<RowPicture> masks, String scale) {
    private String identity() {
      return "ip_adapter %s %s %s %s %s"
          .formatted(
              adapter.identity(),
              adapter.imageSize(),
              RowPicture.hashes(images),
              RowPicture.hashes(masks),
              scale);
    }

    private ImagePrompt read() throws IOException {
      return new ImagePrompt(
              adapter,
              RowPicture.read(images),
              Optional.empty(),
              Optional.empty(),
              1,
              Map.of(),
              RowPicture.read(masks))
          .at(scale);
    }
  }

  @Override
  public String identity() {
    return prompts.stream().map(Prompt::identity).collect(Collectors.joining("\n"));
  }

  @Override
  public void apply(ImageRequest.Builder request) throws IOException {
    List<ImagePrompt> read = new ArrayList<>();
    for (Prompt prompt : prompts) {
      read.add(prompt.read());
    }
    request.imagePrompts(read);
  }
}
