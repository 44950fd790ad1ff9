#include "services/liveopsctl/rehearse/recording.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace liveops::rehearse {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr const char* kHead = R"({"recording": 1, "about": "x", "service": "shop"})";

// The fault in the second line, after a good first one.
std::string FaultOf(const std::string& text) {
  RecordingReader reader;
  RecordedLine line;
  EXPECT_FALSE(reader.Read(kHead, line));
  const auto problem = reader.Read(text, line);
  return problem ? problem->ToString("r") : "";
}

std::string FaultOfPoint(const std::string& point) {
  return FaultOf(R"({"at": 1772359205000, "points": [{)" + point + "}]}");
}

TEST(Recording, ReadsHeaderBatchAndMark) {
  RecordingReader reader;
  RecordedLine line;
  ASSERT_FALSE(reader.Read(
      R"({"recording": 1, "about": "a day", "made_by": "hand", "service": "shop"})", line));
  EXPECT_EQ(std::get<RecordingHeader>(line).made_by, "hand");
  ASSERT_FALSE(reader.Read("  \r", line));
  EXPECT_TRUE(std::holds_alternative<std::monostate>(line));
  ASSERT_FALSE(reader.Read(
      R"({"at": "2026-03-01T10:00:05Z", "covers_ms": 5000, "points": [
          {"metric": "n", "kind": "delta", "unit": "1", "labels": {"zone": "a"}, "value": 3},
          {"metric": "m", "kind": "delta", "covers_ms": 100, "value": 4.5},
          {"metric": "g", "kind": "gauge", "value": -1},
          {"metric": "h", "kind": "histogram", "bounds": [100, 250], "counts": [7, 2, 1]}]})",
      line));
  const auto& batch = std::get<RecordedBatch>(line);
  EXPECT_EQ(ToMs(batch.at), 1'772'359'205'000);
  EXPECT_EQ(batch.service, "shop");
  ASSERT_EQ(batch.points.size(), 4U);
  EXPECT_EQ(batch.points[0].covers, Duration(5000));
  EXPECT_EQ(batch.points[0].labels.ToString(), "{zone=\"a\"}");
  EXPECT_EQ(batch.points[1].covers, Duration(100));
  EXPECT_EQ(batch.points[2].covers, Duration(0));
  EXPECT_EQ(batch.points[2].value, -1);
  EXPECT_EQ(batch.points[3].covers, Duration(5000));
  EXPECT_EQ(batch.points[3].sum, 100 * 7 + 250 * 2 + 250);
  ASSERT_FALSE(reader.Read(R"({"mark": "fault begins", "at": 1772359200000})", line));
  EXPECT_EQ(std::get<Mark>(line).text, "fault begins");
  ASSERT_FALSE(
      reader.Read(R"({"at": "2026-03-01T10:00:05.250Z", "service": "other", "points": []})", line));
  EXPECT_EQ(std::get<RecordedBatch>(line).service, "other");
  EXPECT_FALSE(reader.End());
}

TEST(Recording, SeriesOfEveryBatchMayBeNamedOnce) {
  RecordingReader reader;
  RecordedLine line;
  ASSERT_FALSE(reader.Read(
      R"({"recording": 1, "service": "shop", "covers_ms": 5000, "series": [
          {"metric": "n", "kind": "delta"}, {"metric": "g", "kind": "gauge", "unit": "%"},
          {"metric": "h", "kind": "histogram", "bounds": [100]}]})",
      line));
  ASSERT_FALSE(reader.Read(R"({"at": 5, "values": [3, null, [7, 2]]})", line));
  const auto batch = std::get<RecordedBatch>(line);
  ASSERT_EQ(batch.points.size(), 2U);
  EXPECT_EQ(batch.points[0].metric, "n");
  EXPECT_EQ(batch.points[0].value, 3);
  EXPECT_EQ(batch.points[0].covers, Duration(5000));
  EXPECT_THAT(batch.points[1].counts, testing::ElementsAre(7, 2));
  EXPECT_EQ(batch.points[1].sum, 900);
  ASSERT_FALSE(reader.Read(
      R"({"at": 6, "values": [null, 4, null], "points": [{"metric": "x", "kind": "gauge", "value": 1}]})",
      line));
  EXPECT_EQ(std::get<RecordedBatch>(line).points.size(), 2U);
  EXPECT_THAT(reader.Read(R"({"at": 7, "values": [1]})", line)->message,
              HasSubstr("values has 1 entries, expected one for each of the 3 series"));
  EXPECT_THAT(reader.Read(R"({"at": 7, "values": [1, 2, 3]})", line)->message,
              HasSubstr("values[2] is a number, expected a list of counts"));
  EXPECT_THAT(reader.Read(R"({"at": 7, "values": ["1", 2, [3, 4]]})", line)->message,
              HasSubstr("values[0] is a text, expected a number"));
}

TEST(Recording, SaysWhatIsWrongWithALine) {
  EXPECT_THAT(FaultOf("{\"at\": 1,"), StartsWith("r:2:"));
  EXPECT_THAT(FaultOf("{\"at\": 1,"), HasSubstr("not a line of JSON"));
  EXPECT_THAT(FaultOf("[]"), HasSubstr("expected an object"));
  EXPECT_THAT(FaultOf(R"({"at": 5, "point": []})"), HasSubstr("points is missing"));
  EXPECT_THAT(FaultOf(R"({"at": 5, "points": [], "pints": 1})"),
              HasSubstr("unknown key \"pints\"; did you mean \"points\"?"));
  EXPECT_THAT(FaultOf(R"({"points": []})"), HasSubstr("at is missing"));
  EXPECT_THAT(FaultOf(R"({"at": "soon", "points": []})"),
              HasSubstr("at is \"soon\", expected a time"));
  EXPECT_THAT(FaultOf(R"({"at": "2026-02-31T10:00:05Z", "points": []})"),
              HasSubstr("expected a time"));
  EXPECT_THAT(FaultOf(R"({"at": -5, "points": []})"), HasSubstr("expected a time"));
  EXPECT_THAT(FaultOf(R"({"at": 1e300, "points": []})"), HasSubstr("expected a time"));
  EXPECT_THAT(FaultOf(R"({"mark": 5, "at": 5})"), HasSubstr("mark is 5, expected a text"));
  EXPECT_THAT(FaultOf(R"({"at": 5, "covers_ms": -1, "points": []})"), HasSubstr("covers_ms is -1"));
}

TEST(Recording, SaysWhatIsWrongWithAPoint) {
  EXPECT_THAT(FaultOfPoint(R"("kind": "gauge", "value": 1)"),
              HasSubstr("points[0].metric is missing"));
  EXPECT_THAT(FaultOfPoint(R"("metric": "m", "kind": "guage", "value": 1)"),
              HasSubstr("points[0].kind: unknown kind \"guage\"; did you mean \"gauge\"?"));
  EXPECT_THAT(FaultOfPoint(R"("metric": "m", "kind": "gauge", "value": "1")"),
              HasSubstr("points[0].value is a text, expected a number"));
  EXPECT_THAT(FaultOfPoint(R"("metric": "m", "kind": "gauge")"),
              HasSubstr("points[0].value is missing"));
  EXPECT_THAT(FaultOfPoint(R"("metric": "m", "kind": "gauge", "value": 1, "unti": "s")"),
              HasSubstr("unknown key \"points[0].unti\"; did you mean \"unit\"?"));
  EXPECT_THAT(FaultOfPoint(R"("metric": "m", "kind": "gauge", "value": 1, "labels": {"a": 1})"),
              HasSubstr("points[0].labels.a is a number, expected a text"));
  const std::string histogram = R"("metric": "h", "kind": "histogram", )";
  EXPECT_THAT(FaultOfPoint(histogram + R"("value": 1)"), HasSubstr("points[0].bounds is missing"));
  EXPECT_THAT(FaultOfPoint(histogram + R"("bounds": [2, 1], "counts": [1, 1, 1])"),
              HasSubstr("points[0].bounds do not rise"));
  EXPECT_THAT(FaultOfPoint(histogram + R"("bounds": [1, 2], "counts": [1, 1])"),
              HasSubstr("points[0].counts has 2 entries for 2 bounds"));
  EXPECT_THAT(FaultOfPoint(histogram + R"("bounds": [1], "counts": [1, -1])"),
              HasSubstr("whole numbers that are not negative"));
}

TEST(Recording, BeginsWithItsHeaderAndGoesForward) {
  RecordingReader reader;
  RecordedLine line;
  EXPECT_THAT(reader.Read(R"({"at": 5, "points": []})", line)->ToString("r"),
              StartsWith("r:1:1: expected the first line of a recording"));
  RecordingReader other;
  EXPECT_THAT(other.Read(R"({"recording": 2})", line)->message,
              HasSubstr("recording is 2, expected 1"));
  RecordingReader plan;
  EXPECT_THAT(plan.Read("service: shop", line)->ToString("r"),
              StartsWith("r:1:1: expected the first line of a recording"));
  RecordingReader good;
  EXPECT_TRUE(good.End());
  ASSERT_FALSE(good.Read(R"({"recording": 1})", line));
  EXPECT_THAT(good.Read(R"({"at": 5, "points": []})", line)->message,
              HasSubstr("service is missing"));
  EXPECT_THAT(good.End()->message, HasSubstr("no batch"));
  ASSERT_FALSE(good.Read(R"({"at": 5, "service": "a", "points": []})", line));
  EXPECT_FALSE(good.End());
  EXPECT_THAT(good.Read(R"({"at": 4, "service": "a", "points": []})", line)->ToString("r"),
              HasSubstr("at goes back"));
}

}  // namespace
}  // namespace liveops::rehearse
