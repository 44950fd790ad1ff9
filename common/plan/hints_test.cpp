// What somebody writes who is tired, or comes from another language, and what he is told.
#include "common/plan/hints.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "common/plan/bindings_for_test.h"
#include "common/plan/parse.h"

namespace liveops::plan {
namespace {

using testing::HasSubstr;

TEST(Hints, SayWhatWasProbablyMeant) {
  struct Case {
    const char* text;
    std::size_t offset;
    const char* message;
  };
  const Case cases[] = {
      {"5xx => 1%", 4, "found \"=>\", expected one of > >= < <=; did you mean \">=\"?"},
      {"5xx =< 1%", 4, "did you mean \"<=\"?"},
      {"5xx == 1%", 4, "found \"==\", expected one of > >= < <=; nothing is held to be equal"},
      {"5xx != 1%", 4, "nothing is held to be equal"},
      {"CPU ≥ 90%", 4, "found \"≥\", expected one of > >= < <=; did you mean \">=\"?"},
      {"5xx ＞ 1%", 4, "found \"＞\", a full-width character: write \">\""},
      {"p95 > ５００ms", 6, "found \"５\", a full-width character: write \"5\""},
      {"p95　> 500ms", 3, "a full-width character: write a plain space"},
      {"p95 > 500ms for ５min", 16, "write \"5\""},
      {"5xx > 1% AND CPU > 90%", 9, "did you mean \"and\"?"},
      {"5xx > 1% && CPU > 90%", 9, "did you mean \"and\"?"},
      {"5xx > 1% || CPU > 90%", 9, "did you mean \"or\"?"},
      {"5xx > 1% FOR 5min", 9, "did you mean \"for\"?"},
      {"5xx > 1% during 5min", 9, "did you mean \"for\"?"},
      {"CPU > 90% over 5min", 10, "the window stands before the comparison"},
      {"CPU > 90% by host", 10, "labels stand before the comparison"},
      {"p95 > 500ms vs 1d ago", 12, "an earlier time is named so: > 150% compared to 1d ago"},
      {"p95 > 150% vs 1d ago", 9, "a part of what was is > 150% compared to 1d ago"},
      {"avg(CPU) by (host) > 90%", 12, "a label after by, without parentheses: by host, zone"},
      {"avg by (host) (CPU) > 90%", 0, "avg is an aggregate, and labels stand behind"},
      {"not 5xx > 1%", 0, "what is not to be stands after unless: a unless b"},
      {"less than 3 by instance", 0, "fewer than 3 by instance"},
      {"mean(CPU) > 90%", 0, "unknown aggregate \"mean\"; did you mean \"avg\"?"},
      {"Average(CPU) > 90%", 0, "did you mean \"avg\"?"},
      {"median(latency) > 1s", 0, "did you mean \"p50\"?"},
      {"max_over_time(CPU) > 90%", 0, "did you mean \"max\"?"},
      {"P95(latency) > 1s", 0, "did you mean \"p95\"?"},
      {"P95 > 500ms", 0, "unknown name \"P95\"; did you mean \"p95\"?"},
      {"99p latency > 1s", 0, "did you mean \"p99\"?"},
      {"p95th > 1s", 0, "did you mean \"p95\"?"},
      {"histogram_quantile(0.95, m) > 1", 0, "a quantile is written p95(metric)"},
      {"absent(m)", 0, "that nothing comes is told by no_data: fire of the alarm"},
      {"http_requests_count > 10", 0, "did you mean the metric \"http_request_count\""},
      {"sum(rate(m[5m])) > 1", 4, "a rate is that of all series of its group together"},
      {"5xx > 0,5%", 7, "a number has a point and no comma, as in 0.5%"},
      {"CPU > 0.9", 6, "this is in %, write 0.9%, or 90%"},
      {"DB connections > 160", 17, "did you mean 80%, which is 160 of 200?"},
      {"500ms < p95", 3, "the measure stands left of the comparison: p95 > 500ms"},
      {"5xx > 1% for 5 minutes", 13, "\"minutes\" is not a unit of time"},
      {"5xx > 1% for 5", 13, "expected a unit of time after 5, as in 5min"},
      {"5xx > 1% for 3 out of 5min", 13, "N of M is written as in for 3 of 5min"},
      {"5xx > 1% for 3/5min", 13, "N of M is written as in for 3 of 5min"},
  };
  for (const Case& c : cases) {
    const auto parsed = ParseExpression(c.text, &Seed());
    ASSERT_FALSE(parsed.value) << c.text;
    EXPECT_THAT(parsed.error.message, HasSubstr(c.message)) << c.text;
    EXPECT_EQ(parsed.error.offset, c.offset) << c.text << ": " << parsed.error.message;
  }
}

// A name is found whatever blanks stand between its words.
TEST(Hints, NamesMayBeBroken) {
  for (const char* text :
       {"DB  connections > 80%", "DB\n  connections > 80%", "DB\tconnections>80%"})
    EXPECT_EQ(Canonical(text), "last(db_connection_count) of 200 over 1min > 80% for 0s") << text;
  EXPECT_THAT(Canonical("DBconnections > 80%"), HasSubstr("did you mean \"DB connections\"?"));
}

// In a name, in quotes, and where nothing is wrong it is as good as another.
TEST(Hints, AFullWidthCharacterMayBeMeant) {
  Bindings bindings = Seed();
  bindings.names["５xx"] = bindings.names["5xx"];
  EXPECT_TRUE(ParseExpression("５xx > 1%", &bindings).value);
  EXPECT_THAT(ParseExpression("CPU > 1ms and ５xx > 1%", &bindings).error.message,
              HasSubstr("\"ms\" does not fit"));
  EXPECT_THAT(ParseExpression("count(m{a=\"＞\"}) > 1ms", &bindings).error.message,
              HasSubstr("\"ms\" does not fit"));
}

std::string Told(const std::string& text) {
  std::string out;
  for (const Problem& problem : ParseNew(text).problems) out += problem.ToString("p") + "\n";
  return out;
}

std::string AlarmWith(const std::string& keys) {
  return "service: shop\nowners: {on-call: {slack: \"#oncall\", pagerduty: oncall}}\nmetrics:\n"
         "  5xx: {ratio: [http_5xx_count, http_request_count]}\nalarms:\n"
         "  - {name: a, severity: high, owner: on-call, " +
         keys + "}\n";
}

TEST(Hints, KeysOfOtherLanguagesAreToldByTheirNameHere) {
  EXPECT_EQ(Told(AlarmWith("when: 5xx > 1%, for: 5min")),
            "p:6:63: alarm \"a\": unknown key \"for\"; a hold stands at the end of the condition: "
            "when: CPU > 90% for 5min\n");
  EXPECT_THAT(Told(AlarmWith("expr: 5xx > 1%")),
              HasSubstr("unknown key \"expr\"; the condition stands in when"));
  EXPECT_THAT(Told(AlarmWith("when: 5xx > 1%, message: x")),
              HasSubstr("the sentence that is sent is called summary"));
  EXPECT_THAT(Told("groups:\n- name: x\n"), HasSubstr("this reads like rules of Prometheus"));
}

// It would never fire, and nobody would know. Of a plan in force it is no mistake: that goes on.
TEST(Hints, OnePerCentIsNotOne) {
  EXPECT_THAT(Told(AlarmWith("when: 5xx > 1 for 3min")),
              HasSubstr("p:6:53: a part of a whole that is compared with a plain number is from 0 "
                        "to 1, and never above 1; did you mean 1%?"));
  EXPECT_TRUE(Parse(AlarmWith("when: 5xx > 1 for 3min")).ok());
  for (const char* good : {"5xx > 100%", "5xx >= 1", "5xx > 0.99", "5xx < 1"})
    EXPECT_EQ(Told(AlarmWith("when: '" + std::string(good) + "'")), "") << good;
}

TEST(Hints, OfTextThatIsNoYaml) {
  const auto alarm = [](const char* lines) {
    return "service: shop\nalarms:\n" + std::string(lines);
  };
  EXPECT_THAT(Told(alarm("\t- name: a\n")), HasSubstr("YAML is indented by spaces"));
  EXPECT_THAT(Told(alarm("  - name: a\n\t  when: CPU > 90%\n")),
              HasSubstr("YAML is indented by spaces"));
  EXPECT_THAT(Told(alarm("  - {name: a, when: avg(m{host=\"web\"}) > 90%}\n")),
              HasSubstr("stands in quotes: when: 'avg(m{a=\"b\"}) > 1'"));
  EXPECT_THAT(Told("service: s\nowners:\n  o: {slack: #oncall}\nalarms: []\n"),
              HasSubstr(", or # stands in quotes"));
  EXPECT_THAT(Told("service: s\nalarms：\n  - {name: a}\n"),
              HasSubstr("\"：\" is a full-width character: write \":\""));
  EXPECT_THAT(Told(alarm("  - name: a\n    when: >90% CPU\n")),
              HasSubstr("a text that begins with > or | stands in quotes"));
  EXPECT_THAT(Told(alarm("  - name: a\n   when: CPU > 90%\n")),
              HasSubstr("lines of one list or mapping begin below each other"));
}

}  // namespace
}  // namespace liveops::plan
