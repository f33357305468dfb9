package io.github.kolors4j.batch;

import io.github.kolors4j.checkpoint.Identity;
import io.github.kolors4j.image.KolorsImage;
import io.github.kolors4j.image.PictureLimits;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * A picture's file that a row names.
 *
 * @param files where it is
 * @param name as the row has it
 * @param sha256 of its bytes when the row was read, 64 hexadecimal digits
 */
record RowPicture(RequestFiles files, String name, String sha256) {
  static RowPicture of(RequestFiles files, String name) throws IOException {
    return new RowPicture(files, name, Identity.of(files.picture(name)));
  }

  static List<RowPicture> of(RequestFiles files, List<String> names) throws IOException {
    List<RowPicture> pictures = new ArrayList<>();
    for (String name : names) {
      pictures.add(of(files, name));
    }
    return pictures;
  }

  /** The picture, if its file is still the same. */
  KolorsImage read() throws IOException {
    byte[] bytes = files.picture(name);
    if (!Identity.of(bytes).equals(sha256)) {
      throw new IOException(
          "[batch] the image %s was changed while the batch was running: start it again."
              .formatted(name));
    }
    return KolorsImage.read(bytes, name, PictureLimits.DEFAULT);
  }

  static List<KolorsImage> read(List<RowPicture> pictures) throws IOException {
    List<KolorsImage> images = new ArrayList<>();
    for (RowPicture picture : pictures) {
      images.add(picture.read());
    }
    return images;
  }

  /** The hashes of several. */
  static String hashes(List<RowPicture> pictures) {
    return pictures.stream().map(RowPicture::sha256).collect(Collectors.joining(",", "[", "]"));
  }
}
