package io.github.kolors4j.cli;

import io.github.kolors4j.mini.MiniCheckpoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Models that go beside a checkpoint's, or in the place of one of them: each is called by its file
 * or folder, some by their repository, and each has a name of its own for one that is known here.
 */
enum NamedModel {
  /** A U-Net's weights; the name stands for the mini checkpoint's own for masks. */
  UNET("mini-inpainting", "a safetensors file", Place.DISK) {
    @Override
    Path known(Repositories repositories) throws IOException {
      return MiniCheckpoint.inpaintingUnet();
    }
  },

  /** A VAE's weights, or a tiny autoencoder; the name stands for TAESD of SDXL, as Kolors' VAE. */
  VAE("taesd", "a safetensors file, the folder of a tiny autoencoder", Place.DISK) {
    @Override
    Path known(Repositories repositories) throws IOException {
      return repositories.directory("madebyollin/taesdxl");
    }
  },

  /** A ControlNet's folder; the name stands for the mini checkpoint's own for edges. */
  CONTROL_NET("mini", "a folder with config.json and the weights, owner/name", Place.HUB) {
    @Override
    Path known(Repositories repositories) throws IOException {
      return MiniCheckpoint.controlNet();
    }

    @Override
    void check(String named, Path path) throws IOException {
      if (!Files.isDirectory(path)) {
        throw wrong(named + " is a file");
      }
      if (!Files.exists(path.resolve(CONFIG))) {
        throw wrong(named + " is a folder without " + CONFIG);
      }
    }
  },

  /** An IP-Adapter's folder or file; the name stands for the mini checkpoint's own. */
  IP_ADAPTER("mini", "its folder, its file, owner/name", Place.HUB) {
    @Override
    Path known(Repositories repositories) throws IOException {
      return MiniCheckpoint.ipAdapter();
    }
  };

  /** Where one can be. */
  private enum Place {
    DISK,
    HUB
  }

  private static final String CONFIG = "config.json";

  private final String name;
  private final String others;
  private final Place place;

  NamedModel(String name, String others, Place place) {
    this.name = name;
    this.others = others;
    this.place = place;
  }

  /** The one that the name stands for. */
  abstract Path known(Repositories repositories) throws IOException;

  /** Refuses what is there and cannot be one; what its files say is read later. */
  void check(String named, Path path) throws IOException {}

  /**
   * Finds one, which is there then.
   *
   * @param by what names it: an option, or the column of a table
   * @param given the name
   * @param repositories where names are looked up that may be repositories
   * @return its file or folder
   */
  Path find(String by, String given, Repositories repositories) throws IOException {
    if (given.equals(name)) {
      return known(repositories);
    }
    if (given.isBlank()) {
      throw new UsageException("[arguments] %s is empty: name %s.".formatted(by, choices()));
    }
    String named = by + " " + given;
    Path path = place == Place.HUB ? repositories.directory(given) : Path.of(given);
    if (!Files.exists(path)) {
      String meant = UnknownArgument.meant(given, List.of(name));
      throw meant.isEmpty()
          ? wrong(named + " does not exist")
          : new IOException("[file] " + named + " does not exist" + meant);
    }
    check(named, path);
    return path;
  }

  IOException wrong(String what) {
    return new IOException("[file] %s: name %s.".formatted(what, choices()));
  }

  private String choices() {
    return others + " or " + name;
  }
}
