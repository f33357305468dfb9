package io.github.kolors4j.image;

import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.List;
import javax.imageio.ImageReadParam;
import javax.imageio.ImageReader;
import javax.imageio.metadata.IIOMetadata;
import javax.imageio.metadata.IIOMetadataNode;
import org.w3c.dom.NodeList;

/**
 * GIF files: the first frame, at its place on the canvas of the whole. What it leaves free has the
 * colour that counts as transparent, or else the first of the palette, as with Pillow.
 */
final class GifDecoder implements PictureDecoder {
  /** A code of twelve bits stands for fewer. */
  private static final int MOST_PIXELS_A_BYTE = 4096;

  @Override
  public List<String> formats() {
    return List.of("GIF");
  }

  @Override
  public boolean accepts(PictureSource source) {
    return source.has(0, 'G', 'I', 'F', '8', '7', 'a')
        || source.has(0, 'G', 'I', 'F', '8', '9', 'a');
  }

  @Override
  public DecodedPicture decode(PictureSource source) throws IOException {
    try (JdkReader jdk = JdkReader.withMetadata("gif", new ByteArrayInputStream(source.bytes()))) {
      ImageReader reader = jdk.reader();
      IIOMetadataNode screen = tree(reader.getStreamMetadata());
      IIOMetadataNode frame = tree(reader.getImageMetadata(0));
      int left = number(frame, "ImageDescriptor", "imageLeftPosition");
      int top = number(frame, "ImageDescriptor", "imageTopPosition");
      int right = left + reader.getWidth(0);
      int bottom = top + reader.getHeight(0);
      int width = Math.max(right, number(screen, "LogicalScreenDescriptor", "logicalScreenWidth"));
      int height =
          Math.max(bottom, number(screen, "LogicalScreenDescriptor", "logicalScreenHeight"));
      source.checkSize(width, height, 1);
      source.checkPacking(right - left, bottom - top, MOST_PIXELS_A_BYTE);

      // By itself the reader would pack indices into as many bits as the palette needs.
      BufferedImage indices =
          new BufferedImage(right - left, bottom - top, BufferedImage.TYPE_BYTE_GRAY);
      ImageReadParam param = reader.getDefaultReadParam();
      param.setDestination(indices);
      reader.read(0, param);
      int[] palette = palette(screen, frame);
      byte[] rgb = new byte[width * height * Pixels.RGB];
      fill(rgb, palette[transparent(frame)]);
      int[] row = new int[right - left];
      for (int y = top; y < bottom; y++) {
        indices.getRaster().getPixels(0, y - top, row.length, 1, row);
        int at = (y * width + left) * Pixels.RGB;
        for (int index : row) {
          put(rgb, at, palette[index]);
          at += Pixels.RGB;
        }
      }
      return new DecodedPicture(KolorsImage.owning(width, height, rgb));
    }
  }

  /** The colour of every index: black where the palette has none for it, grey without one. */
  private static int[] palette(IIOMetadataNode screen, IIOMetadataNode frame) {
    IIOMetadataNode tree = has(frame, "LocalColorTable") ? frame : screen;
    NodeList colours = tree.getElementsByTagName("ColorTableEntry");
    int[] palette = new int[1 << Byte.SIZE];
    for (int i = 0; i < palette.length; i++) {
      palette[i] = colours.getLength() == 0 ? i * 0x010101 : 0;
    }
    for (int i = 0; i < colours.getLength(); i++) {
      IIOMetadataNode colour = (IIOMetadataNode) colours.item(i);
      palette[i] =
          number(colour, "red") << 16 | number(colour, "green") << 8 | number(colour, "blue");
    }
    return palette;
  }

  /** The index that counts as transparent, else 0. */
  private static int transparent(IIOMetadataNode frame) {
    String extension = "GraphicControlExtension";
    boolean has =
        has(frame, extension)
            && node(frame, extension).getAttribute("transparentColorFlag").equals("TRUE");
    return has ? number(frame, extension, "transparentColorIndex") : 0;
  }

  private static void fill(byte[] rgb, int colour) {
    for (int at = 0; at < rgb.length; at += Pixels.RGB) {
      put(rgb, at, colour);
    }
  }

  private static void put(byte[] rgb, int at, int colour) {
    rgb[at] = (byte) (colour >> 16);
    rgb[at + 1] = (byte) (colour >> 8);
    rgb[at + 2] = (byte) colour;
  }

  private static boolean has(IIOMetadataNode tree, String node) {
    return tree.getElementsByTagName(node).getLength() > 0;
  }

  private static int number(IIOMetadataNode tree, String name, String attribute) {
    return number(node(tree, name), attribute);
  }

  private static int number(IIOMetadataNode node, String attribute) {
    return Integer.parseInt(node.getAttribute(attribute));
  }

  private static IIOMetadataNode node(IIOMetadataNode tree, String name) {
    return (IIOMetadataNode) tree.getElementsByTagName(name).item(0);
  }

  private static IIOMetadataNode tree(IIOMetadata metadata) {
    return (IIOMetadataNode) metadata.getAsTree(metadata.getNativeMetadataFormatName());
  }
}
