#include "common/telemetry/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace liveops::metrics {
namespace {

using testing::ElementsAre;
using testing::Pair;

TEST(MetricsText, EachNameOnceWithItsHelpAndTypeAndAllItsSeries) {
  List own("liveops_ingest_");
  own.Counter("points_rejected_total", "Points refused for good.", 3, "rejected_points.future",
              {{"reason", "future"}});
  own.Gauge("series", "Series sent of late.", 12.5, "series");
  own.Counter("points_rejected_total", "Points refused for good.", 4, "rejected_points.too_old",
              {{"reason", "too_old"}});
  List common;
  common.Gauge("ready", "1 while it serves.", 1);
  const List lists[] = {own, common};
  EXPECT_EQ(ToText(lists),
            "# HELP liveops_ingest_points_rejected_total Points refused for good.\n"
            "# TYPE liveops_ingest_points_rejected_total counter\n"
            "liveops_ingest_points_rejected_total{reason=\"future\"} 3\n"
            "liveops_ingest_points_rejected_total{reason=\"too_old\"} 4\n"
            "# HELP liveops_ingest_series Series sent of late.\n"
            "# TYPE liveops_ingest_series gauge\n"
            "liveops_ingest_series 12.5\n"
            "# HELP liveops_ready 1 while it serves.\n"
            "# TYPE liveops_ready gauge\n"
            "liveops_ready 1\n");
}

TEST(MetricsText, NoLabelForgesALine) {
  List list("");
  list.Gauge("g", "a \\ and\na line", 1, "", {{"a", "x\"} 1\nforged 2\\"}, {"b", "\xff"}});
  const List lists[] = {list};
  EXPECT_EQ(ToText(lists),
            "# HELP g a \\\\ and\\na line\n"
            "# TYPE g gauge\n"
            "g{a=\"x\\\"} 1\\nforged 2\\\\\",b=\"\xEF\xBF\xBD\"} 1\n");
}

TEST(MetricsText, NumbersAreWholeAndExact) {
  List list("");
  list.Counter("a", "h", 9'007'199'254'740'991.0);
  list.Gauge("b", "h", std::numeric_limits<double>::infinity());
  list.Gauge("c", "h", std::numeric_limits<double>::quiet_NaN());
  list.Gauge("d", "h", 0.1);
  const List lists[] = {list};
  EXPECT_THAT(ToText(lists), testing::HasSubstr("\na 9007199254740991\n"));
  EXPECT_THAT(ToText(lists), testing::HasSubstr("\nb +Inf\n"));
  EXPECT_THAT(ToText(lists), testing::HasSubstr("\nc NaN\n"));
  EXPECT_THAT(ToText(lists), testing::HasSubstr("\nd 0.1\n"));
}

TEST(MetricsText, AHistogramCountsUpToEachBound) {
  Seconds seconds;
  seconds.Observe(0.0005);  // a bound belongs to its bucket
  seconds.Observe(0.003);
  seconds.Observe(0.004);
  seconds.Observe(60);
  List list("");
  list.Histogram("t_seconds", "h", seconds.Read(), {{"by", "otlp"}});
  const List lists[] = {list};
  const std::string text = ToText(lists);
  for (const char* line :
       {"# TYPE t_seconds histogram\n", "t_seconds_bucket{by=\"otlp\",le=\"0.0005\"} 1\n",
        "t_seconds_bucket{by=\"otlp\",le=\"0.0025\"} 1\n",
        "t_seconds_bucket{by=\"otlp\",le=\"0.005\"} 3\n",
        "t_seconds_bucket{by=\"otlp\",le=\"10\"} 3\n",
        "t_seconds_bucket{by=\"otlp\",le=\"+Inf\"} 4\n", "t_seconds_sum{by=\"otlp\"} 60.0075\n",
        "t_seconds_count{by=\"otlp\"} 4\n"}) {
    EXPECT_THAT(text, testing::HasSubstr(line));
  }
}

TEST(MetricsList, StatusShowsThoseThatHaveANameThere) {
  List list;
  list.Counter("a_total", "h", 1, "a", {{"partition", "0"}});
  list.Counter("a_total", "h", 2, "a", {{"partition", "1"}});
  list.Gauge("b", "h", 2);
  list.Gauge("c", "h", 4, "see");
  EXPECT_THAT(list.ForStatus(), ElementsAre(Pair("a", 3), Pair("see", 4)));
}

}  // namespace
}  // namespace liveops::metrics
