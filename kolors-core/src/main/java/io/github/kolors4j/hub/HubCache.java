package io.github.kolors4j.hub;

import io.github.kolors4j.safetensors.json.JsonReader;
import io.github.kolors4j.safetensors.json.JsonWriter;
import java.io.IOException;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;
import java.util.function.LongConsumer;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The folder that Python's {@code huggingface_hub} keeps its files in, and its rules.
 *
 * <pre>
 * models--owner--name/
 *   refs/main                   the commit, 40 hexadecimal digits and nothing else
 *   snapshots/COMMIT/PATH       links to ../../blobs/ETAG; where links cannot be, the files
 *   blobs/ETAG                  the contents, or links into the store that repositories share
 *   trees/COMMIT.json           all files of a commit
 *   modelscope/COMMIT           ours: empty, says that the snapshot is ModelScope's
 * blobs/XX/HASH                 that store
 * </pre>
 *
 * <p>Every file gets its name when it is whole and verified, by an atomic rename. So any number of
 * processes, of Java and of Python, may use the folder at once.
 */
public final class HubCache {
  private static final String MODELS = "models--";
  private static final String INCOMPLETE = ".incomplete";
  private static final Pattern ETAG = Pattern.compile("[0-9a-f]{40}|[0-9a-f]{64}");
  private static final String TAG =
      """
      Signature: 8a477f597d28d172789f06886806bc55
      # This file is a cache directory tag created by huggingface_hub.
      # For information about cache directory tags, see:
      #	https://bford.info/cachedir/
      """;
  private static final SecureRandom RANDOM = new SecureRandom();

  private final Path root;
  private final boolean symlinks;

  HubCache(Path root, boolean symlinks) {
    this.root = root.toAbsolutePath().normalize();
    this.symlinks = symlinks;
  }

  /**
   * The cache of a folder.
   *
   * @param root the folder, which need not exist
   */
  public HubCache(Path root) {
    this(root, true);
  }

  /**
   * The folder.
   *
   * @return absolute
   */
  public Path root() {
    return root;
  }

  /**
   * The files of a revision, if a pull, here or in Python, has put them there.
   *
   * @param revision a commit, or a branch or tag as it was when it was asked for last
   * @return the folder that has them, under their own names
   * @throws IOException if the cache cannot be read
   */
  public Optional<Path> find(RepoRevision revision) throws IOException {
    Optional<String> commit = commit(revision);
    return commit.map(sha -> snapshot(revision.repo(), sha)).filter(Files::isDirectory);
  }

  /** The commit of a revision, as far as the cache knows. */
  Optional<String> commit(RepoRevision revision) throws IOException {
    if (revision.isCommit()) {
      return Optional.of(revision.revision());
    }
    try {
      Path ref = folder(revision.repo()).resolve("refs").resolve(revision.revision());
      return Optional.of(Files.readString(ref).strip()).filter(RepoRevision::isCommit);
    } catch (NoSuchFileException _) {
      return Optional.empty();
    }
  }

  Path folder(RepoId repo) {
    return root.resolve(MODELS + repo.owner() + "--" + repo.name());
  }

  Path snapshot(RepoId repo, String commit) {
    return folder(repo).resolve("snapshots").resolve(commit);
  }

  Path blobs(RepoId repo) {
    return folder(repo).resolve("blobs");
  }

  /** Whether a file's content is there; a file of another size is none. */
  boolean has(RepoListing listing, RepoFile file) throws IOException {
    RepoId repo = listing.revision().repo();
    return hasSize(blobs(repo).resolve(file.etag()), file.size())
        || hasSize(snapshot(repo, listing.commit()).resolve(file.path()), file.size());
  }

  /** Through links, of which there may be two: to the blob, and into the shared store. */
  private static boolean hasSize(Path file, long size) throws IOException {
    return Files.isRegularFile(file) && Files.size(file) == size;
  }

  /** Makes the folders, and the mark by which backups leave them out. */
  void prepare(RepoId repo) throws IOException {
    Files.createDirectories(blobs(repo));
    Path tag = root.resolve("CACHEDIR.TAG");
    if (!Files.exists(tag)) {
      write(tag, TAG);
    }
  }

  /** Gives the files of a plan, whose contents are all there, their names. */
  Path link(PullPlan plan) throws IOException {
    RepoId repo = plan.listing().revision().repo();
    Path snapshot = snapshot(repo, plan.listing().commit());
    Map<String, RepoFile> lastOf = new HashMap<>(); // two files may have one content
    plan.files().forEach(file -> lastOf.put(file.etag(), file));
    for (RepoFile file : plan.files()) {
      link(repo, snapshot, file, file.equals(lastOf.get(file.etag())));
    }
    if (plan.listing().files().stream().allMatch(file -> isThere(snapshot, file))) {
      writeTree(plan.listing());
    }
    RepoRevision revision = plan.listing().revision();
    if (repo.source() == RepoId.Source.MODELSCOPE) {
      write(fromModelScope(repo, plan.listing().commit()), "");
    }
    if (!revision.isCommit()) {
      write(folder(repo).resolve("refs").resolve(revision.revision()), plan.listing().commit());
    }
    return snapshot;
  }

  private static boolean isThere(Path snapshot, RepoFile file) {
    return Files.isRegularFile(snapshot.resolve(file.path()));
  }

  private void link(RepoId repo, Path snapshot, RepoFile file, boolean last) throws IOException {
    Path blob = blobs(repo).resolve(file.etag());
    Path name = snapshot.resolve(file.path());
    if (!Files.isRegularFile(blob)) {
      return; // where links cannot be, an earlier pull has moved it
    }
    Path folder = Files.createDirectories(name.getParent());
    if (!folder.toRealPath().startsWith(folder(repo).toRealPath())) {
      throw new HubException(
          HubException.Reason.DISK,
          "[hub] %s is a link out of the cache: remove it.".formatted(folder));
    }
    if (symlinks && Files.isSymbolicLink(name) && Files.isRegularFile(name)) {
      if (name.toRealPath().equals(blob.toRealPath())) {
        return;
      }
    }
    Path temporary = folder.resolve("." + file.name() + "." + unique() + INCOMPLETE);
    if (symlinks && symlink(temporary, folder.relativize(blob))) {
      move(temporary, name);
    } else {
      if (!last || Files.isSymbolicLink(blob)) {
        Files.copy(blob, temporary);
      }
      move(Files.exists(temporary) ? temporary : blob, name);
    }
  }

  /** False where the file system, or Windows without its developer mode, has no links. */
  private static boolean symlink(Path link, Path target) {
    try {
      Files.createSymbolicLink(link, target);
      return true;
    } catch (IOException | UnsupportedOperationException _) {
      return false;
    }
  }

  /** Another process may have come first; its file is the same. */
  static void move(Path from, Path to) throws IOException {
    try {
      Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
    } catch (AtomicMoveNotSupportedException | FileAlreadyExistsException _) {
      Files.move(from, to, StandardCopyOption.REPLACE_EXISTING);
    }
  }

  private static void write(Path file, String text) throws IOException {
    Path folder = Files.createDirectories(file.getParent());
    Path temporary = folder.resolve("." + file.getFileName() + "." + unique() + INCOMPLETE);
    try {
      Files.writeString(temporary, text);
      move(temporary, file);
    } finally {
      Files.deleteIfExists(temporary);
    }
  }

  /** Python takes a listing for a promise that all of it is there, so it is written only then. */
  private void writeTree(RepoListing listing) throws IOException {
    if (listing.revision().repo().source() != RepoId.Source.HUGGING_FACE) {
      return; // git's hashes are not known
    }
    SortedMap<String, Object> files = new TreeMap<>();
    for (RepoFile file : listing.files()) {
      Map<String, Object> entry = new LinkedHashMap<>();
      entry.put("size", file.size());
      entry.put("blob_id", file.blobId());
      file.sha256()
          .ifPresent(
              sha256 -> {
                entry.put("lfs_sha256", sha256);
                entry.put("lfs_size", file.size());
              });
      file.xetHash().ifPresent(hash -> entry.put("xet_hash", hash));
      files.put(file.path(), entry);
    }
    Map<String, Object> tree = new LinkedHashMap<>();
    tree.put("format_version", 1);
    tree.put("files", files);
    write(tree(listing.revision().repo(), listing.commit()), JsonWriter.compact(tree));
  }

  private Path tree(RepoId repo, String commit) {
    return folder(repo).resolve("trees").resolve(commit + ".json");
  }

  /** A repository of ModelScope's shares the folder with the hub's of the same name. */
  private Path fromModelScope(RepoId repo, String commit) {
    return folder(repo).resolve("modelscope").resolve(commit);
  }

  private boolean isOf(RepoId.Source source, RepoId repo, String commit) {
    return source == RepoId.Source.HUGGING_FACE || Files.exists(fromModelScope(repo, commit));
  }

  static String unique() {
    byte[] bytes = new byte[4];
    RANDOM.nextBytes(bytes);
    return HexFormat.of().formatHex(bytes);
  }

  /**
   * Everything that the cache has, by name.
   *
   * @return the repositories of models; others, as of data sets, are not shown
   * @throws IOException if the cache cannot be read
   */
  public List<CachedRepo> list() throws IOException {
    if (!Files.isDirectory(root)) {
      return List.of();
    }
    List<Path> folders;
    try (Stream<Path> all = Files.list(root)) {
      folders = all.filter(path -> repo(path).isPresent()).sorted().toList();
    }
    List<CachedRepo> repos = new ArrayList<>();
    for (Path folder : folders) {
      repos.add(cached(repo(folder).orElseThrow(), folder));
    }
    return repos;
  }

  /** From {@code models--owner--name}. */
  private static Optional<RepoId> repo(Path folder) {
    String[] parts = folder.getFileName().toString().split("--");
    try {
      return parts.length == 3
              && parts[0].equals("models")
              && Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS)
          ? Optional.of(RepoId.parse(parts[1] + "/" + parts[2]))
          : Optional.empty();
    } catch (IllegalArgumentException _) {
      return Optional.empty();
    }
  }

  private static CachedRepo cached(RepoId repo, Path folder) throws IOException {
    SortedMap<String, String> refs = new TreeMap<>();
    for (Path ref : files(folder.resolve("refs"))) {
      String name = folder.resolve("refs").relativize(ref).toString().replace('\\', '/');
      refs.put(name, Files.readString(ref).strip());
    }
    long bytes = 0;
    long shared = 0;
    long partial = 0;
    Instant modified = Instant.EPOCH;
    for (Path file : files(folder)) {
      BasicFileAttributes own =
          Files.readAttributes(file, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
      if (own.lastModifiedTime().toInstant().isAfter(modified)) {
        modified = own.lastModifiedTime().toInstant();
      }
      boolean blob = folder.resolve("blobs").equals(file.getParent());
      if (file.getFileName().toString().endsWith(INCOMPLETE)) {
        partial += own.size();
      } else if (own.isRegularFile()) {
        bytes += own.size();
      } else if (blob && Files.isRegularFile(file)) {
        shared += Files.size(file);
      }
    }
    return new CachedRepo(repo, folder, refs, commits(folder), bytes, shared, partial, modified);
  }

  private static List<String> commits(Path folder) throws IOException {
    Path snapshots = folder.resolve("snapshots");
    if (!Files.isDirectory(snapshots)) {
      return List.of();
    }
    try (Stream<Path> all = Files.list(snapshots)) {
      return all.map(path -> path.getFileName().toString())
          .filter(RepoRevision::isCommit)
          .sorted()
          .toList();
    }
  }

  /** Files and links below a folder, none where there is no such folder. */
  private static List<Path> files(Path folder) throws IOException {
    if (!Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS)) {
      return List.of();
    }
    try (Stream<Path> all = Files.walk(folder)) {
      return all.filter(path -> !Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS))
          .sorted()
          .toList();
    }
  }

  /**
   * Reads the files of a repository's snapshots and compares them with their hashes.
   *
   * @param repo the repository
   * @param bytesRead is told now and then how many there were
   * @param cancelled ends it where it gives true
   * @return what is wrong, which is nothing where all is well
   * @throws IOException if the cache cannot be read
   * @throws java.util.concurrent.CancellationException if it was cancelled
   */
  public List<CacheFault> verify(RepoId repo, LongConsumer bytesRead, BooleanSupplier cancelled)
      throws IOException {
    CacheCheck check = new CacheCheck(bytesRead, cancelled);
    Path folder = folder(repo);
    for (String commit : commits(folder)) {
      Path snapshot = snapshot(repo, commit);
      Map<String, String> etags = etags(tree(repo, commit));
      for (Path file : files(snapshot)) {
        String path = snapshot.relativize(file).toString().replace('\\', '/');
        check.file(file, etag(file).or(() -> Optional.ofNullable(etags.get(path))));
      }
    }
    return check.faults();
  }

  /** The name of the blob that a snapshot's file is a link to. */
  private static Optional<String> etag(Path file) throws IOException {
    return Files.isSymbolicLink(file)
        ? Optional.of(Files.readSymbolicLink(file).getFileName().toString())
            .filter(name -> ETAG.matcher(name).matches())
        : Optional.empty();
  }

  /** From a listing; where there is none, or none that can be read, nothing is known. */
  private static Map<String, String> etags(Path tree) {
    Map<String, String> etags = new TreeMap<>();
    try {
      Map<String, Object> json = JsonReader.of(Files.readAllBytes(tree)).object();
      if (json.get("files") instanceof Map<?, ?> files) {
        files.forEach(
            (path, entry) -> {
              if (path instanceof String name && entry instanceof Map<?, ?> values) {
                Object sha256 = values.get("lfs_sha256");
                Object hash = sha256 != null ? sha256 : values.get("blob_id");
                if (hash instanceof String text && ETAG.matcher(text).matches()) {
                  etags.put(name, text);
                }
              }
            });
      }
    } catch (IOException _) {
      // then as if it were not there
    }
    return etags;
  }

  /**
   * Deletes a repository with all that is of it alone. What lies in the store that repositories
   * share stays there: {@code hf cache prune} frees what nothing uses any more. By its name at
   * ModelScope only what came from there is deleted, by the plain one all that has it.
   *
   * @param repo the repository
   * @return how many bytes are free now; empty if the cache has nothing of it
   * @throws IOException if a file cannot be deleted
   */
  public Optional<Long> remove(RepoId repo) throws IOException {
    Path folder = folder(repo);
    if (!Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS)) {
      return Optional.empty();
    }
    return repo.source() == RepoId.Source.HUGGING_FACE
        ? Optional.of(removeAll(repo))
        : removeEach(repo, commits(folder));
  }

  private Optional<Long> removeEach(RepoId repo, List<String> commits) throws IOException {
    Optional<Long> bytes = Optional.empty();
    for (String commit : commits) {
      Optional<Long> own = remove(new RepoRevision(repo, commit));
      bytes = own.isEmpty() ? bytes : Optional.of(bytes.orElse(0L) + own.get());
    }
    return bytes;
  }

  private long removeAll(RepoId repo) throws IOException {
    Path folder = folder(repo);
    CachedRepo cached = cached(repo, folder);
    // first what makes files findable, so that nobody finds half of them
    delete(folder.resolve("refs"));
    delete(folder.resolve("snapshots"));
    delete(folder);
    delete(root.resolve(".locks").resolve(folder.getFileName()));
    return cached.bytes() + cached.partialBytes();
  }

  /**
   * Deletes one revision of a repository: its files, those of their contents that no other revision
   * has, and all branches and tags that mean it. The last revision goes with the repository.
   *
   * @param revision a commit, or a branch or tag as the cache knows it
   * @return how many bytes are free now; empty if the cache does not have it
   * @throws IOException if a file cannot be deleted
   */
  public Optional<Long> remove(RepoRevision revision) throws IOException {
    RepoId repo = revision.repo();
    Path folder = folder(repo);
    String commit = commit(revision).orElse("");
    List<String> others = new ArrayList<>(commits(folder));
    if (!others.remove(commit) || !isOf(repo.source(), repo, commit)) {
      return Optional.empty();
    }
    if (others.isEmpty()) {
      return Optional.of(removeAll(repo));
    }
    Path snapshot = snapshot(repo, commit);
    Set<Path> unused = contents(repo, snapshot);
    for (String other : others) {
      unused.removeAll(contents(repo, snapshot(repo, other)));
    }
    long bytes = 0;
    List<Path> own = new ArrayList<>(files(snapshot)); // links, or where there are none files
    own.addAll(unused);
    for (Path file : own) {
      BasicFileAttributes attributes =
          Files.readAttributes(file, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
      bytes += attributes.isRegularFile() ? attributes.size() : 0;
    }
    for (Path ref : files(folder.resolve("refs"))) {
      if (Files.readString(ref).strip().equals(commit)) {
        Files.delete(ref);
      }
    }
    delete(snapshot);
    Files.deleteIfExists(tree(repo, commit));
    Files.deleteIfExists(fromModelScope(repo, commit));
    for (Path blob : unused) {
      Files.deleteIfExists(blob);
    }
    return Optional.of(bytes);
  }

  /** The blobs of a repository that the files of a snapshot are links to. */
  private Set<Path> contents(RepoId repo, Path snapshot) throws IOException {
    Set<Path> contents = new HashSet<>();
    for (Path file : files(snapshot)) {
      if (Files.isSymbolicLink(file)) {
        Path target = file.resolveSibling(Files.readSymbolicLink(file)).normalize();
        if (blobs(repo).equals(target.getParent())
            && Files.exists(target, LinkOption.NOFOLLOW_LINKS)) {
          contents.add(target);
        }
      }
    }
    return contents;
  }

  private static void delete(Path folder) throws IOException {
    if (!Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS)) {
      return;
    }
    List<Path> all;
    try (Stream<Path> found = Files.walk(folder)) {
      all = found.sorted(Comparator.reverseOrder()).toList();
    }
    for (Path path : all) {
      Files.deleteIfExists(path);
    }
  }
}
