#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/epoch_filter.h"
#include "common/base/hash.h"
#include "common/base/labels.h"
#include "common/base/text.h"
#include "common/base/time.h"

namespace liveops {
namespace {

using ::testing::HasSubstr;

TEST(Duration, ReadsTheWordsOfPlans) {
  const std::vector<std::pair<std::string, std::int64_t>> table = {
      {"0s", 0},          {"250ms", 250},         {"5min", 300'000},     {"5m", 300'000},
      {"1hr", 3'600'000}, {"1h30min", 5'400'000}, {"1d", 86'400'000},    {"30d", 2'592'000'000},
      {"90s", 90'000},    {"1min30s", 90'000},    {"2w", 1'209'600'000},
  };
  for (const auto& [text, ms] : table) {
    const auto parsed = ParseDuration(text);
    ASSERT_TRUE(parsed.ok()) << text;
    EXPECT_EQ(parsed->count(), ms) << text;
    const auto again = ParseDuration(FormatDuration(*parsed));
    ASSERT_TRUE(again.ok()) << FormatDuration(*parsed);
    EXPECT_EQ(again->count(), ms) << text;
  }
}

TEST(Duration, SaysWhatIsWrong) {
  EXPECT_THAT(ParseDuration("").error().message, HasSubstr("empty"));
  EXPECT_THAT(ParseDuration("5").error().message, HasSubstr("\"\" is not a unit"));
  EXPECT_THAT(ParseDuration("5parsec").error().message, HasSubstr("\"parsec\" is not a unit"));
  EXPECT_THAT(ParseDuration("30s5min").error().message, HasSubstr("large to small"));
  EXPECT_THAT(ParseDuration("-5s").error().message, HasSubstr("a number is expected"));
  EXPECT_FALSE(ParseDuration("99999999999999999s").ok());
}

TEST(Duration, ElapsedHasTwoUnits) {
  EXPECT_EQ(FormatElapsed(Duration(420)), "420ms");
  EXPECT_EQ(FormatElapsed(Duration(200'000)), "3min 20s");
  EXPECT_EQ(FormatElapsed(Duration(3'600'000)), "1h");
  EXPECT_EQ(FormatElapsed(Duration(90'061'000)), "1d 1h");
}

TEST(Utc, RoundTrips) {
  EXPECT_EQ(FormatUtc(0), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(FormatUtc(1'770'196'500'250), "2026-02-04T09:15:00.250Z");
  EXPECT_EQ(ParseUtc("2026-02-04T09:15:00.250Z"), 1'770'196'500'250);
  EXPECT_EQ(ParseUtc("2026-02-04T09:15:00Z"), 1'770'196'500'000);
  EXPECT_EQ(ParseUtc("2026-02-04T09:15:00.25Z"), 1'770'196'500'250);
  EXPECT_EQ(ParseUtc("2026-02-04T09:15:00.250999Z"), 1'770'196'500'250);
  for (const char* bad :
       {"yesterday", "2026-02-04T09:15:00", "2026-02-04T09:15:00.Z", "2026-02-04T09:15:00Zz"}) {
    EXPECT_EQ(ParseUtc(bad), std::nullopt) << bad;
  }
}

TEST(TimeMap, MapsThereAndBack) {
  const TimeMap map{RealFromMs(1'000'000), InstantFromMs(5'000'000), 20.0};
  EXPECT_EQ(ToMs(map.ToDomain(RealFromMs(1'000'500))), 5'010'000);
  EXPECT_EQ(ToMs(map.ToReal(InstantFromMs(5'010'000))), 1'000'500);
  EXPECT_EQ(map.ToDomain(Duration(250)).count(), 5000);
}

TEST(Hash, MatchesPublishedVectors) {
  EXPECT_EQ(Xxh64(""), 0xef46db3751d8e999ULL);
  EXPECT_EQ(Hex(Sha256Of("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Hash, PartsDoNotRunTogether) {
  const std::string_view a[] = {"ab", "c"};
  const std::string_view b[] = {"a", "bc"};
  EXPECT_NE(FingerprintOf(a), FingerprintOf(b));
  EXPECT_NE(Sha256Of(a), Sha256Of(b));
}

TEST(Hash, PartitionIsStable) {
  // Changing this changes where every service's log lives.
  EXPECT_EQ(PartitionOf("backend-api", 16), static_cast<std::int32_t>(Xxh64("backend-api") % 16));
}

std::vector<Fingerprint> SomeSeries() {
  std::vector<Fingerprint> series;
  for (int i = 0; i < 4000; ++i) {
    const std::string name = "series " + std::to_string(i);
    const std::string_view parts[] = {name};
    series.push_back(FingerprintOf(parts));
  }
  return series;
}

TEST(Hash, ASpreadServiceTakesItsOwnPartitionAndThoseAfterIt) {
  const std::vector<Fingerprint> series = SomeSeries();
  for (const std::string_view service : {"backend-api", "shop", "search", "billing"}) {
    const std::int32_t home = PartitionOf(service, 16);
    for (const int spread : {1, 2, 3, 8, 16}) {
      std::map<std::int32_t, int> taken;  // steps from the home -> series
      for (const Fingerprint& one : series) {
        const std::int32_t p = SpreadPartitionOf(service, one, spread, 16);
        ASSERT_TRUE(p >= 0 && p < 16);
        ++taken[(p - home + 16) % 16];
      }
      ASSERT_EQ(taken.size(), static_cast<std::size_t>(spread));
      EXPECT_EQ(taken.rbegin()->first, spread - 1);
      for (const auto& [step, count] : taken) {
        EXPECT_NEAR(count, 4000 / spread, 100) << service << " step " << step << " of " << spread;
      }
    }
  }
}

TEST(Hash, TheSeriesOfOnePartitionStillDifferInTheBitsThatTheyAreLookedUpBy) {
  std::set<std::uint64_t> low_bits;
  for (const Fingerprint& one : SomeSeries()) {
    if (SpreadPartitionOf("shop", one, 16, 16) == PartitionOf("shop", 16)) {
      low_bits.insert(one.lo % 16);
    }
  }
  EXPECT_EQ(low_bits.size(), 16U);
}

TEST(Bytes, ATimeBeyondAllReachIsNone) {
  const auto read = [](std::int64_t ms, std::int64_t never) {
    ByteWriter out;
    out.Signed(ms);
    const std::string bytes = out.Take();
    ByteReader in(bytes);
    const std::int64_t v = in.Milliseconds(never);
    return in.ok() ? std::optional(v) : std::nullopt;
  };
  constexpr std::int64_t kFar = std::int64_t{1} << 53;
  for (const std::int64_t ms : {std::int64_t{0}, std::int64_t{-7}, kFar, -kFar})
    EXPECT_EQ(read(ms, 0), ms);
  for (const std::int64_t ms : {kFar + 1, -kFar - 1, INT64_MAX, INT64_MIN})
    EXPECT_EQ(read(ms, 0), std::nullopt);
  EXPECT_EQ(read(INT64_MIN, INT64_MIN), INT64_MIN);
}

TEST(Bytes, RoundTripAndTruncation) {
  ByteWriter out;
  out.Varint(300);
  out.Signed(-7);
  out.Double(0.1);
  out.String("héllo");
  out.Bool(true);
  const std::string bytes = out.Take();
  ByteReader in(bytes);
  EXPECT_EQ(in.Varint(), 300U);
  EXPECT_EQ(in.Signed(), -7);
  EXPECT_EQ(in.Double(), 0.1);
  EXPECT_EQ(in.String(), "héllo");
  EXPECT_TRUE(in.Bool());
  EXPECT_TRUE(in.ok() && in.AtEnd());
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
    ByteReader part(std::string_view(bytes).substr(0, cut));
    part.Varint();
    part.Signed();
    part.Double();
    part.String();
    part.Bool();
    EXPECT_FALSE(part.ok()) << "cut at " << cut;
  }
}

TEST(Labels, ANameIsEscapedAsAValueIs) {
  EXPECT_EQ(Labels(Labels::Pairs{{"a\n\x7f", "x"}}).ToString(), "{a\\x0a\\x7f=\"x\"}");
  const Labels one(Labels::Pairs{{"a=\"1\",b", "2"}});
  EXPECT_NE(one.ToString(), Labels({{"a", "1"}, {"b", "2"}}).ToString());
}

TEST(Labels, AreCanonical) {
  const Labels a({{"b", "2"}, {"a", "1"}});
  const Labels b({{"a", "1"}, {"b", "2"}});
  EXPECT_EQ(a.Encode(), b.Encode());
  EXPECT_EQ(Labels::Decode(a.Encode()), a);
  EXPECT_EQ(a.ToString(), "{a=\"1\",b=\"2\"}");
  EXPECT_EQ(Labels(Labels::Pairs{{"a", "x\"\n"}}).ToString(), "{a=\"x\\\"\\x0a\"}");
  EXPECT_EQ(Labels::Decode("\x05zz"), std::nullopt);
  ByteWriter unsorted;
  for (const char* word : {"b", "2", "a", "1"}) unsorted.String(word);
  EXPECT_EQ(Labels::Decode(unsorted.bytes()), std::nullopt);
}

TEST(Text, SuggestsTheNearestWord) {
  const std::vector<std::string> known{"severity", "owner", "when", "clear"};
  EXPECT_EQ(NearestWord("severty", known), "severity");
  EXPECT_EQ(NearestWord("hwen", known), "when");
  EXPECT_EQ(NearestWord("zebra", known), "");
  EXPECT_EQ(Suggestion("zzz", known), "; known are: severity, owner, when, clear");
}

TEST(Text, ScrubsMalformedUtf8) {
  EXPECT_EQ(ScrubUtf8("ok \xc3\xa9"), "ok \xc3\xa9");
  EXPECT_EQ(ScrubUtf8("a\xff\x62"), "a\xef\xbf\xbd\x62");
  EXPECT_FALSE(IsValidUtf8("\xed\xa0\x80")) << "a surrogate";
  EXPECT_FALSE(IsValidUtf8("\xc0\xaf")) << "an overlong slash";
  EXPECT_EQ(Truncate("h\xc3\xa9llo", 5), "h\xe2\x80\xa6") << "never cuts inside a character";
}

TEST(Text, NumbersForPeople) {
  EXPECT_EQ(FormatNumber(1243), "1243");
  EXPECT_EQ(FormatNumber(0.0123456), "0.01235");
  EXPECT_EQ(FormatValue(512.34, "ms"), "512.3 ms");
}

TEST(EpochFilter, VoidsAZombie) {
  EpochFilter filter;
  EXPECT_TRUE(filter.Valid(EpochFilter::kNoEpoch));
  filter.Claim(10);
  EXPECT_TRUE(filter.Valid(10));
  filter.Claim(25);
  EXPECT_FALSE(filter.Valid(10)) << "written under the older claim";
  EXPECT_TRUE(filter.Valid(25));
  EXPECT_TRUE(filter.Valid(EpochFilter::kNoEpoch)) << "not an owner's record";
  EXPECT_FALSE(filter.Valid(INT64_MIN)) << "a damaged header";
}

}  // namespace
}  // namespace liveops
