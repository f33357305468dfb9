package io.github.kolors4j.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.microsoft.playwright.Browser;
import com.microsoft.playwright.BrowserContext;
import com.microsoft.playwright.Download;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.Route;
import com.microsoft.playwright.assertions.LocatorAssertions;
import com.microsoft.playwright.assertions.PlaywrightAssertions;
import com.microsoft.playwright.options.ColorScheme;
import com.microsoft.playwright.options.ReducedMotion;
import io.github.kolors4j.request.ImageRequest;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.regex.Pattern;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The page as its user has it: in a real browser, on the real server, with the mini checkpoint. */
class PageTest {
  private static final String LADYBUG = "一只瓢虫,蓝色背景";
  private static final Path REFERENCE = Path.of("src/test/resources/reference/ladybug-on-blue.png");
  private static final Pattern HAN = Pattern.compile("\\p{IsHan}");

  /** A picture takes a second; a machine with other work may take a hundred times as long. */
  private static final double PATIENCE = 120_000;

  private static Chromium chromium;
  private static TestServer server;

  /** What the console says, a violation of the content policy among it: nothing is expected. */
  private final List<String> complaints = new ArrayList<>();

  private BrowserContext context;
  private Page page;

  @BeforeAll
  static void start() throws Exception {
    chromium = Chromium.startOrSkip();
    PlaywrightAssertions.setDefaultAssertionTimeout(PATIENCE);
    server = TestServer.start();
  }

  @AfterAll
  static void stop() throws Exception {
    if (chromium != null) {
      server.close();
      chromium.close();
    }
  }

  @AfterEach
  void theConsoleIsSilent() {
    context.close();
    assertEquals(List.of(), complaints);
  }

  @Test
  void aChinesePromptBecomesTheLadybugStepByStep() throws IOException {
    open(new Browser.NewContextOptions().setLocale("zh-CN"));
    page.evaluate(
        """
        () => {
          window.previews = 0;
          new MutationObserver(() => {
            if (document.querySelector("#picture").src.startsWith("data:")) window.previews++;
          }).observe(document.querySelector("#picture"), { attributeFilter: ["src"] });
        }
        """);

    prompt(LADYBUG, "0");
    page.keyboard().press("Control+Enter");

    assertState("finished");
    assertTrue((int) page.evaluate("window.previews") > 0, "no preview was shown");
    assertThat("#facts").containsText("64 × 64");
    Download download =
        page.waitForDownload(() -> page.locator("#caption [data-action=download]").click());
    assertEquals("一只瓢虫-蓝色背景-0.png", download.suggestedFilename());
    BufferedImage picture = ImageIO.read(download.path().toFile());
    assertEquals(List.of(), differences(0, generated(LADYBUG), picture));
    assertEquals(List.of(), differences(2, ImageIO.read(REFERENCE.toFile()), picture));
  }

  /** It does not know the sizes, so that fields would be empty. */
  @Test
  void untilTheServerHasSaidWhatItDrawsWithTheFormIsNotToBeUsed() {
    context = chromium.browser().newContext();
    page = context.newPage();
    List<Route> held = new CopyOnWriteArrayList<>();
    page.route("**/v1/info", held::add);
    page.navigate(server.uri("/").toString());
    page.waitForCondition(() -> !held.isEmpty());
    assertThat("#form").hasAttribute("inert", "");
    assertThat("#size").hasCSS("opacity", "0");
    held.getFirst().resume();
    assertThat("#width").hasValue("64");
    assertThat("#form").not().hasAttribute("inert", "");
    assertThat("#size").hasCSS("opacity", "1");
  }

  @Test
  void aReloadJoinsTheRunningJobAndItIsCancelled() {
    open();
    prompt("a slow dog", "1");
    page.locator("#steps").fill("1000");
    page.locator("#generate").click();
    assertState("running");

    page.reload();
    assertState("running");
    assertThat("#prompt").hasValue("a slow dog");
    page.locator("#cancel").click();
    assertState("cancelled");
    assertThat("#message").hasText("Cancelled.");
    assertThat("#generate").isEnabled();
    assertThat("#wall li").hasCount(0);
  }

  @Test
  void aReloadJoinsTheJobThatWaitsAndTheGalleryStays() {
    open();
    TestServer.Gate gate = server.occupy();
    prompt("a dog on a blue background", "7");
    page.locator("#steps").fill("2");
    page.locator("#generate").click();
    assertState("waiting");

    page.reload();
    assertThat("#phase").hasText("Next in the queue");
    gate.open();
    assertState("finished");
    assertThat("#wall li").hasCount(1);

    page.reload();
    assertThat("#wall li").hasCount(1);
    assertState("empty");
  }

  @Test
  void aPictureOfTheGalleryGivesItsSettingsBack() {
    open();
    prompt("a fox", "42");
    page.locator("#negative").fill("a dog");
    page.locator("#steps").fill("5");
    page.locator("#guidance").fill("3.5");
    page.locator("#scheduler").selectOption("DDIMScheduler");
    page.locator("#generate").click();
    assertState("finished");

    page.locator("#reset").click();
    page.locator("#prompt").fill("something else");
    page.locator("#wall button").click();
    assertThat("#viewer-details").containsText("DDIMScheduler");
    page.locator("#viewer [data-action=reuse]").click();

    assertThat("#prompt").hasValue("a fox");
    assertThat("#negative").hasValue("a dog");
    assertThat("#steps").hasValue("5");
    assertThat("#guidance").hasValue("3.5");
    assertThat("#scheduler").hasValue("DDIMScheduler");
    assertThat("#seed").hasValue("42");
    assertThat("#random").not().isChecked();
  }

  @Test
  void aDeletedPictureComesBackUntilTheNoticeGoes() {
    open();
    draw("a fox", 2);
    page.locator("#wall button").click();
    page.locator("#viewer [data-action=remove]").click();
    assertThat("#viewer").not().isVisible();
    assertThat("#wall li").hasCount(0);
    page.locator("#notice-action").click();
    assertThat("#wall li").hasCount(1);
    page.reload();
    assertThat("#wall li").hasCount(1);
  }

  @Test
  void aPictureCanBeginWithAnotherOne() throws IOException {
    open();
    page.locator("#start-file").setInputFiles(REFERENCE);
    assertThat("#started").isVisible();
    assertThat("#width").hasValue("64");
    page.locator("#start-remove").click();
    assertThat("#started").not().isVisible();

    dropOrPaste("drop");
    assertThat("#started").isVisible();
    page.locator("#start-remove").click();
    dropOrPaste("paste");
    assertThat("#started").isVisible();

    draw("a fox on a blue background", 4);
    page.locator("#wall button").click();
    assertThat("#viewer-details").containsText("Started from");
  }

  @Test
  void severalPicturesHaveSeedsOfTheirOwn() {
    open();
    page.locator("#more summary").click();
    page.locator("#count").fill("2");
    prompt("a fox", "18446744073709551615");
    page.locator("#steps").fill("2");
    page.locator("#generate").click();
    assertState("finished");
    assertThat("#strip button").hasCount(2);
    assertThat("#wall li").hasCount(2);
    assertThat("#facts").containsText("Seed 18446744073709551615");
    page.locator("#strip button").nth(1).click();
    assertThat("#facts").containsText("Seed 0");

    page.locator("#wall button").first().click();
    assertThat("#viewer-details").containsText("Seed0");
    page.keyboard().press("ArrowRight");
    assertThat("#viewer-details").containsText("Seed18446744073709551615");
    page.keyboard().press("Escape");
    assertThat("#viewer").not().isVisible();
    assertThat("#wall li:nth-child(2) button").isFocused();
  }

  @Test
  void theQueueIsShownUntilThePictureIsItsTurn() {
    open();
    TestServer.Gate gate = server.occupy();
    prompt("a fox", "0");
    page.locator("#steps").fill("2");
    page.locator("#generate").click();
    assertState("waiting");
    assertThat("#phase").hasText("Next in the queue");
    gate.open();
    assertState("finished");
  }

  @Test
  void aFullQueueIsAskedAgainAfterTheTimeThatTheServerSays() {
    try (TestServer small = TestServer.start(TestServer.builder().queueCapacity(0))) {
      open(small, new Browser.NewContextOptions());
      assertReady();
      TestServer.Gate gate = small.occupy();
      prompt("a fox", "0");
      page.locator("#steps").fill("2");
      page.locator("#generate").click();
      assertThat("#left").containsText("Trying again in");
      gate.open();
      assertState("finished");
      assertTrue(complaints.removeIf(complaint -> complaint.contains("status of 429")));
      context.close();
    }
  }

  @Test
  void aServerWithAKeyIsAskedWithIt() {
    try (TestServer guarded = TestServer.start(TestServer.builder().key("secret"))) {
      open(guarded, new Browser.NewContextOptions());
      assertThat("#ask").isVisible();
      page.locator("#key").fill("guessed");
      page.keyboard().press("Enter");
      assertThat("#ask-text").hasText("The server did not accept this key.");
      page.locator("#key").fill("secret");
      page.keyboard().press("Enter");
      assertReady();
      draw("a fox", 2);
      assertTrue(complaints.removeIf(complaint -> complaint.contains("status of 401")));

      page.reload();
      assertReady();
      assertThat("#wall li").hasCount(1);
      context.close();
    }
  }

  @Test
  void theServersOwnSentenceSaysWhatIsWrong() {
    open();
    prompt("a fox", "0");
    page.locator("#steps").fill("1001");
    page.locator("#generate").click();
    assertState("failed");
    assertThat("#message").containsText("1001");
    complaints.removeIf(complaint -> complaint.contains("status of 400"));
    page.locator("#steps").fill("2");
    page.locator("#try-again").click();
    assertState("finished");
  }

  @Test
  void thePageSpeaksTheLanguageOfTheBrowserAndTheOtherOne() {
    open(new Browser.NewContextOptions().setLocale("zh-CN"));
    assertEquals("zh-Hans", page.evaluate("document.documentElement.lang"));
    assertThat("#generate").containsText("生成");
    Object untranslated =
        page.evaluate(
            """
            () => [...document.querySelectorAll("[data-say]")]
              .map(({ textContent }) => textContent)
              .filter((text) => !/\\p{Script=Han}/u.test(text) && text !== "Ctrl + Enter")
            """);
    assertEquals(List.of(), untranslated);

    page.locator("#language input[value=en]").check();
    assertThat("#generate").containsText("Generate");
    String english = page.locator("main").innerText();
    assertTrue(!HAN.matcher(english).find(), english);

    page.reload();
    assertThat("#generate").containsText("Generate");
  }

  /** In both schemes, which differ in their colours alone. */
  @Test
  void axeFindsNothing() {
    open(
        new Browser.NewContextOptions()
            .setColorScheme(ColorScheme.LIGHT)
            .setReducedMotion(ReducedMotion.REDUCE));
    page.evaluate(chromium.axe());
    assertNoFindings("empty");
    page.locator("#start-file").setInputFiles(REFERENCE);
    prompt("a fox", "0");
    assertNoFindings("filled in");
    page.locator("#steps").fill("1000");
    page.locator("#strength").fill("1");
    page.locator("#generate").click();
    assertState("running");
    assertNoFindings("running");
    page.locator("#cancel").click();
    assertState("cancelled");
    assertNoFindings("cancelled");
    page.locator("#steps").fill("2");
    page.locator("#generate").click();
    assertState("finished");
    assertNoFindings("finished");
    page.locator("#wall button").click();
    assertNoFindings("one picture");
  }

  @Test
  void aPhoneNeedsNoSidewaysScrolling() {
    open(
        new Browser.NewContextOptions()
            .setViewportSize(360, 740)
            .setIsMobile(true)
            .setHasTouch(true));
    assertFits("empty");
    page.locator("#start-file").setInputFiles(REFERENCE);
    page.locator("#more summary").click();
    assertFits("all open");
    draw("a very long word: " + "kolors".repeat(20), 2);
    assertFits("finished");
    page.locator("#wall button").click();
    assertFits("one picture");
  }

  private void open() {
    open(new Browser.NewContextOptions());
  }

  private void open(Browser.NewContextOptions options) {
    open(server, options);
    assertReady();
  }

  /** Before that, an inert field would take no text, and the test would go on without it. */
  private void assertReady() {
    assertThat("#form").not().hasAttribute("inert", "");
    assertThat("#generate").isEnabled();
  }

  private void open(TestServer server, Browser.NewContextOptions options) {
    if (options.locale == null) {
      options.setLocale("en-GB");
    }
    context = chromium.browser().newContext(options);
    context.onConsoleMessage(
        message -> {
          if (List.of("error", "warning").contains(message.type())) {
            complaints.add(message.type() + ": " + message.text());
          }
        });
    context.onWebError(error -> complaints.add(error.error()));
    page = context.newPage();
    page.setDefaultTimeout(PATIENCE);
    page.navigate(server.uri("/").toString());
  }

  /** Fills in a prompt and fixes the seed. */
  private void prompt(String prompt, String seed) {
    page.locator("#prompt").fill(prompt);
    if (!page.locator("#seed").isVisible()) {
      page.locator("#more summary").click();
    }
    page.locator("#seed").fill(seed);
  }

  /** Makes a picture in a few steps. */
  private void draw(String prompt, int steps) {
    prompt(prompt, "0");
    page.locator("#steps").fill(Integer.toString(steps));
    page.locator("#generate").click();
    assertState("finished");
  }

  private LocatorAssertions assertThat(String selector) {
    return PlaywrightAssertions.assertThat(page.locator(selector));
  }

  /**
   * Waits until the easel is in this state. It is looked at with each frame, assertions once a
   * second.
   */
  private void assertState(String state) {
    page.waitForFunction(
        "(state) => document.querySelector('#stage').dataset.state === state", state);
  }

  /** The reference as a file from outside of the browser. */
  private void dropOrPaste(String event) throws IOException {
    String base64 = Base64.getEncoder().encodeToString(Files.readAllBytes(REFERENCE));
    page.evaluate(
        """
        ([event, base64]) => {
          const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
          const data = new DataTransfer();
          data.items.add(new File([bytes], "ladybug.png", { type: "image/png" }));
          const happening = event === "drop"
            ? new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true })
            : new ClipboardEvent("paste", { clipboardData: data, bubbles: true });
          document.querySelector("#prompt").dispatchEvent(happening);
        }
        """,
        List.of(event, base64));
  }

  private void assertNoFindings(String when) {
    assertNoFindings("{}", when);
    page.emulateMedia(new Page.EmulateMediaOptions().setColorScheme(ColorScheme.DARK));
    assertNoFindings("{ runOnly: ['color-contrast'] }", when + ", dark");
    page.emulateMedia(new Page.EmulateMediaOptions().setColorScheme(ColorScheme.LIGHT));
  }

  private void assertNoFindings(String options, String when) {
    Object findings =
        page.evaluate(
            """
            async () => (await axe.run(%s)).violations.flatMap(({ id, help, nodes }) =>
              nodes.map(({ html, failureSummary }) => `${id}: ${help}: ${html}: ${failureSummary}`))
            """
                .formatted(options));
    assertEquals(List.of(), findings, when);
  }

  private void assertFits(String when) {
    Object widest =
        page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth");
    assertEquals(0, widest, when + ": pixels that stick out");
    Object broken =
        page.evaluate(
            """
            () => {
              const lines = (element) => {
                const range = document.createRange();
                range.selectNodeContents(element);
                return new Set([...range.getClientRects()].map(({ top }) => Math.round(top))).size;
              };
              return [...document.querySelectorAll("h1, .switch span, .second span")]
                .filter((element) => element.checkVisibility() && lines(element) > 1)
                .map((element) => element.outerHTML);
            }
            """);
    assertEquals(List.of(), broken, when + ": names on two lines");
    Object outside =
        page.evaluate(
            """
            () => [...document.querySelectorAll("button, input, select, textarea, img")]
              .filter((element) => element.checkVisibility() && !element.closest(".unseen")
                && !element.matches(".unseen"))
              .filter((element) => element.getBoundingClientRect().right > innerWidth + 0.5)
              .map((element) => element.outerHTML)
            """);
    assertEquals(List.of(), outside, when);
  }

  /** What the library makes of this prompt with seed 0. */
  private static BufferedImage generated(String prompt) {
    return TestServer.PIPELINE
        .generate(ImageRequest.builder(prompt).seed(0).build())
        .image()
        .toBufferedImage();
  }

  /** Where two pictures differ by more than that in a channel. */
  private static List<String> differences(int most, BufferedImage one, BufferedImage other) {
    assertEquals(one.getWidth(), other.getWidth());
    assertEquals(one.getHeight(), other.getHeight());
    List<String> differences = new ArrayList<>();
    for (int y = 0; y < one.getHeight(); y++) {
      for (int x = 0; x < one.getWidth(); x++) {
        for (int shift = 0; shift <= 16; shift += 8) {
          int expected = one.getRGB(x, y) >> shift & 0xFF;
          int actual = other.getRGB(x, y) >> shift & 0xFF;
          if (Math.abs(expected - actual) > most) {
            differences.add("(%d, %d): %d, not %d".formatted(x, y, actual, expected));
          }
        }
      }
    }
    return differences;
  }
}
