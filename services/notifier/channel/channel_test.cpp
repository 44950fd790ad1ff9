#include <gtest/gtest.h>

#include <limits>

#include "services/notifier/channel/answer.h"
#include "services/notifier/channel/text.h"

namespace liveops::notifier {
namespace {

Page SomePage() {
  Page page;
  page.service = "backend-api";
  page.name = "error-rate";
  page.alarm_id = "backend-api/error-rate";
  page.severity = plan::Severity::kCritical;
  page.value = 2.4;
  page.threshold = 1;
  page.unit = "%";
  return page;
}

TEST(Headline, SaysWhatBrokeWhereAndHowBad) {
  Page page = SomePage();
  EXPECT_EQ(Headline(page, Language::kEnglish),
            "CRITICAL: backend-api error-rate 2.4 % (limit > 1 %)");
  EXPECT_EQ(Headline(page, Language::kKorean),
            "심각(Critical): backend-api error-rate 2.4 % (기준 > 1 %)");
  EXPECT_EQ(SecondHeadline(page, Language::kKorean), "");
  EXPECT_EQ(SecondHeadline(page, Language::kBoth), Headline(page, Language::kKorean));
  page.notice = Notice::kResolved;
  page.phase = Phase::kResolved;
  page.value = 0.1;
  page.duration = Duration(380'000);
  EXPECT_EQ(Headline(page, Language::kEnglish),
            "RESOLVED: backend-api error-rate, now 0.1 %, lasted 6min 20s");
  page.phase = Phase::kWithdrawn;
  EXPECT_EQ(Headline(page, Language::kEnglish).substr(0, 34), "CLOSED (the plan no longer has it)");
}

TEST(SayResponse, SaysTheTimeOfThePlan) {
  Page page = SomePage();
  EXPECT_EQ(SayResponse(Language::kBoth, page), "at once, within 5 min / 즉시 대응 (5분 이내)");
  page.response = plan::Response{std::chrono::minutes(90)};
  EXPECT_EQ(SayResponse(Language::kEnglish, page), "at once, within 1 h 30 min");
  page.severity = plan::Severity::kHigh;
  EXPECT_EQ(SayResponse(Language::kEnglish, page), "within 1 h 30 min");
  EXPECT_EQ(SayResponse(Language::kKorean, page), "1시간 30분 이내 대응");
  page.response = plan::Response{};
  EXPECT_EQ(SayResponse(Language::kEnglish, page), "next business day");
  EXPECT_EQ(SayResponse(Language::kKorean, page), "다음 영업일 대응");
}

TEST(ShareText, OfWhoIsMissingSaysThatNoDataArrives) {
  EXPECT_EQ(ShareText(Language::kEnglish, {"endpoint=/games", 12, 0.4}, "1"),
            "endpoint=/games  12 (40 %)");
  const PageContribution missing{"pod=c", std::numeric_limits<double>::quiet_NaN(), 0};
  EXPECT_EQ(ShareText(Language::kEnglish, missing, "1"), "pod=c  no data arrives");
  EXPECT_EQ(ShareText(Language::kKorean, missing, "1"), "pod=c  데이터가 들어오지 않음");
}

TEST(Words, EveryWordIsThereInBothLanguages) {
  for (const Words* words : {&EnglishWords(), &KoreanWords()}) {
    const auto* cells = reinterpret_cast<const char* const*>(words);
    for (std::size_t i = 0; i < sizeof(Words) / sizeof(const char*); ++i) {
      ASSERT_NE(cells[i], nullptr) << i;
      EXPECT_NE(*cells[i], '\0') << i;
    }
  }
}

TEST(OneLine, NothingSteersATerminalOrAddsALine) {
  EXPECT_EQ(OneLine("a\r\nBcc: b"), "a  Bcc: b");
  EXPECT_EQ(OneLine("\x1b[31mred"), " [31mred");
  EXPECT_EQ(OneLine(std::string_view("a\0b", 3)), "a b");
  EXPECT_EQ(OneLine("\xc2\x9b"
                    "31m"),
            " 31m");
  EXPECT_EQ(OneLine("bad\xff"), "bad\xef\xbf\xbd");
  EXPECT_EQ(OneLine("한국"), "한국");
}

TEST(CutCharacters, CountsCharactersNotBytes) {
  EXPECT_EQ(CutCharacters("한국어", 3), "한국어");
  EXPECT_EQ(CutCharacters("한국어문", 3), "한국…");
  EXPECT_EQ(CountCharacters(CutCharacters(std::string(500, 'x'), 150)), 150u);
}

TEST(Commands, AreQuotedForAShell) {
  EXPECT_EQ(AcknowledgeCommand("backend-api/error-rate"),
            "liveopsctl alarms ack backend-api/error-rate");
  EXPECT_EQ(AcknowledgeCommand("a/b{x=\"it's\"}"), "liveopsctl alarms ack 'a/b{x=\"it'\\''s\"}'");
  EXPECT_EQ(ApproveCommand("0123abcd"), "liveopsctl remediations approve 0123abcd");
}

TEST(SafeLink, OnlyWebAddressesWithoutMarkup) {
  EXPECT_EQ(SafeLink("https://runbooks/x?a=b#c"), "https://runbooks/x?a=b#c");
  for (const char* bad :
       {"javascript:alert(1)", "https://a|b", "https://a>b", "https://a b", "x", "https://a\nb"}) {
    EXPECT_EQ(SafeLink(bad), "") << bad;
  }
}

TEST(DedupKey, IsOneAnEpisode) {
  EXPECT_EQ(DedupKey("a", InstantFromMs(1)).size(), 64u);
  EXPECT_NE(DedupKey("a", InstantFromMs(1)), DedupKey("a", InstantFromMs(2)));
  EXPECT_NE(DedupKey("a1", InstantFromMs(2)), DedupKey("a", InstantFromMs(12)));
}

TEST(ReadFailure, ByMeaning) {
  const auto read = [](int status, const char* retry_after = "") {
    const Reading r = ReadFailure({true, status, "words", retry_after, false, ""});
    std::string out = OutcomeName(r.outcome);
    out += r.health == Health::kAnswered    ? " answered"
           : r.health == Health::kThrottled ? " throttled"
                                            : " failed";
    if (r.retry_after) out += " " + std::to_string(r.retry_after->count());
    return out;
  };
  EXPECT_EQ(read(429, "7"), "failed throttled 7000");  // alertmanager#2111: not permanent
  EXPECT_EQ(read(429), "failed throttled");
  EXPECT_EQ(read(429, "soon"), "failed throttled");
  EXPECT_EQ(read(503, "2"), "failed failed 2000");
  EXPECT_EQ(read(500), "unknown failed");
  EXPECT_EQ(read(504), "unknown failed");
  EXPECT_EQ(read(400), "rejected answered");
  EXPECT_EQ(read(404), "rejected answered");
  EXPECT_EQ(read(302), "rejected answered");
  EXPECT_EQ(ReadFailure({false, 0, "", "", true, "refused"}).outcome, Outcome::kFailed);
  EXPECT_EQ(ReadFailure({false, 0, "", "", false, "time-out"}).outcome, Outcome::kUnknown);
}

}  // namespace
}  // namespace liveops::notifier
