#include "services/ingest/source/cost_report/csv.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace liveops::ingest::cost {
namespace {

// "line: a|b|c", or "line! problem".
std::vector<std::string> Records(std::string_view text) {
  std::vector<std::string> out;
  CsvReader csv(text);
  while (csv.Next()) {
    std::string one = std::to_string(csv.line());
    if (!csv.problem().empty()) {
      out.push_back(one + "! " + std::string(csv.problem()));
      continue;
    }
    const char* between = ": ";
    for (const std::string_view field : csv.fields()) {
      one += between + std::string(field);
      between = "|";
    }
    out.push_back(one);
  }
  return out;
}

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(Csv, LinesOfFields) {
  EXPECT_THAT(Records("a,b,c\nd,,f\n"), ElementsAre("1: a|b|c", "2: d||f"));
  EXPECT_THAT(Records("a,b\r\n\r\n\nc,d"), ElementsAre("1: a|b", "4: c|d"))
      << "empty lines are none";
  EXPECT_THAT(Records("\xef\xbb\xbf"
                      "a,"),
              ElementsAre("1: a|"));
  EXPECT_THAT(Records(""), IsEmpty());
  EXPECT_THAT(Records("\n"), IsEmpty());
}

TEST(Csv, QuotedFieldsHoldWhatSeparates) {
  EXPECT_THAT(Records("\"a,b\",\"c\"\"d\"\"\",\"\"\r\ne,f,g"),
              ElementsAre("1: a,b|c\"d\"|", "2: e|f|g"));
  EXPECT_THAT(Records("\"one\ntwo\",x\ny,z"), ElementsAre("1: one\ntwo|x", "3: y|z"));
  EXPECT_THAT(Records("{\"a\": 1},5\" nail"), ElementsAre("1: {\"a\": 1}|5\" nail"))
      << "a quote inside is a character";
}

TEST(Csv, ABadRecordEndsWithItsLine) {
  EXPECT_THAT(Records("\"a\"b,c\nd,e"),
              ElementsAre("1! a quoted field goes on behind its quote", "2: d|e"));
  EXPECT_THAT(Records("a,b\nc,\"d\ne,f\n"),
              ElementsAre("1: a|b", "2! a quoted field does not end"));
}

}  // namespace
}  // namespace liveops::ingest::cost
