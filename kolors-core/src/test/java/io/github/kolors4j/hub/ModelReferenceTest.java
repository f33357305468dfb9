package io.github.kolors4j.hub;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModelReferenceTest {
  private static ModelReference repository(String text) {
    return new ModelReference.Repository(RepoRevision.parse(text));
  }

  @Test
  void whatIsThereIsAFolder(@TempDir Path folder) {
    assertEquals(new ModelReference.Folder(folder), ModelReference.parse(folder.toString()));
    Path named = Path.of("src/test"); // could be a repository's name, too
    assertEquals(new ModelReference.Folder(named), ModelReference.parse("src/test"));
  }

  @Test
  void whatIsNotThereAndCanBeARepositoryIsOne() {
    assertEquals(repository("owner/name"), ModelReference.parse("owner/name"));
    assertEquals(repository("owner/name@v1"), ModelReference.parse("owner/name@v1"));
    assertEquals(
        repository("modelscope://owner/name"), ModelReference.parse("modelscope://owner/name"));
  }

  @Test
  void whatCanBeNoRepositoryIsAFolderThatWillBeMissed() {
    for (String text : new String[] {"nothing", "./owner/name", "/a/b", "a/b/c"}) {
      assertEquals(new ModelReference.Folder(Path.of(text)), ModelReference.parse(text));
    }
  }

  @Test
  void anotherSchemeIsRefused() {
    assertThrows(IllegalArgumentException.class, () -> ModelReference.parse("http://a/b"));
  }

  @Test
  void aNameWithoutAnOwnerIsRefusedAsItWasGiven() {
    String message =
        assertThrows(IllegalArgumentException.class, () -> RepoRevision.parse("kolors"))
            .getMessage();
    assertTrue(message.startsWith("[hub] \"kolors\" is not the name"), message);
  }
}
