package io.github.kolors4j.image;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Iterator;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageTypeSpecifier;
import javax.imageio.ImageWriteParam;
import javax.imageio.ImageWriter;
import javax.imageio.metadata.IIOMetadata;
import javax.imageio.metadata.IIOMetadataNode;
import javax.imageio.stream.MemoryCacheImageOutputStream;
import org.w3c.dom.NodeList;

/** The JDK's own writers of picture files, as another plugin's would write other bytes. */
final class JdkWriter {
  /** As Pillow's quality of 95: hardly to be seen. */
  private static final float QUALITY = 0.95f;

  private JdkWriter() {}

  static ImageWriter of(String format) {
    Iterator<ImageWriter> writers = ImageIO.getImageWritersByFormatName(format);
    while (writers.hasNext()) {
      ImageWriter writer = writers.next();
      if (writer.getClass().getModule() == ImageIO.class.getModule()) {
        return writer;
      }
    }
    throw new IllegalStateException(
        "[image] the JDK's ImageIO plugin for " + format + " is not registered.");
  }

  /** A JPEG with its colours at full resolution. */
  static byte[] jpeg(BufferedImage image) throws IOException {
    ImageWriter writer = of("jpeg");
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (MemoryCacheImageOutputStream stream = new MemoryCacheImageOutputStream(bytes)) {
      writer.setOutput(stream);
      ImageWriteParam param = writer.getDefaultWriteParam();
      param.setCompressionMode(ImageWriteParam.MODE_EXPLICIT);
      param.setCompressionQuality(QUALITY);
      IIOMetadata metadata =
          writer.getDefaultImageMetadata(ImageTypeSpecifier.createFromRenderedImage(image), param);
      sampleEveryColour(metadata);
      writer.write(null, new IIOImage(image, null, metadata), param);
    } finally {
      writer.dispose();
    }
    return bytes.toByteArray();
  }

  /** 4:4:4 in place of the default's 4:2:0. */
  private static void sampleEveryColour(IIOMetadata metadata) throws IOException {
    String format = metadata.getNativeMetadataFormatName();
    IIOMetadataNode tree = (IIOMetadataNode) metadata.getAsTree(format);
    NodeList components = tree.getElementsByTagName("componentSpec");
    for (int i = 0; i < components.getLength(); i++) {
      IIOMetadataNode component = (IIOMetadataNode) components.item(i);
      component.setAttribute("HsamplingFactor", "1");
      component.setAttribute("VsamplingFactor", "1");
    }
    metadata.setFromTree(format, tree);
  }
}
