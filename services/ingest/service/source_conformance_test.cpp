// One suite for every folder of services/ingest/source: whatever comes is taken, or it is said or
// counted that it was not; what is bad keeps nothing else from being taken. How an alert lives is
// alert_sources_test.cpp's.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <ostream>

#include "common/base/text.h"
#include "common/http/signing_for_tests.h"
#include "services/ingest/service/http_for_tests.h"
#include "services/ingest/service/statsd_listener.h"
#include "services/ingest/source/cloudwatch_stream/stream_for_tests.h"

namespace liveops::ingest {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

constexpr const char* kDeep = "deep nesting";

// What is told: an alert that fires, or a value. Texts go into the body as they are.
struct Item {
  std::string name = "m";  // "" = what cannot be taken
  std::string text = "plain";
  int labels = 0;  // beyond it
  std::string value = "7";
  std::int64_t time_ms = kNow - 60'000;
};

struct Way {
  const char* word;
  const char* folder;
  const char* path;  // of HTTP; "" = datagrams
  bool several;      // items in a body
  bool timed;        // an item has a time of its own
  std::function<std::string(const std::vector<Item>&)> body;
};
std::ostream& operator<<(std::ostream& out, const Way& way) { return out << way.word; }

// Members after others.
std::string Members(const Item& item) {
  std::string out;
  for (int i = 0; i < item.labels; ++i) out += ",\"l" + std::to_string(i) + "\":\"x\"";
  return out;
}

std::string AlertmanagerBody(const std::vector<Item>& items) {
  std::string out;
  for (const Item& item : items) {
    out += std::string(out.empty() ? "[" : ",") + R"({"labels":{"alertname":")" + item.name +
           R"(","service":"shop","text":")" + item.text + "\"" + Members(item) +
           R"(},"startsAt":")" + FormatUtc(item.time_ms) + "\"}";
  }
  return out + "]";
}
std::string DatadogBody(const std::vector<Item>& items) {
  const Item& item = items.front();
  std::string tags;
  for (int i = 0; i < item.labels; ++i) tags += ",l" + std::to_string(i) + ":x";
  return R"({"alert_id":")" + item.name + R"(","transition":"Triggered","scope":"text:)" +
         item.text + tags + R"(","tags":"service:shop","date":")" + std::to_string(item.time_ms) +
         "\"}";
}
std::string NewRelicBody(const std::vector<Item>& items) {
  const Item& item = items.front();
  return R"({"id":")" + item.name + R"(","state":"ACTIVATED","service":"shop","title":")" +
         item.text + R"(","createdAt":)" + std::to_string(item.time_ms) + Members(item) + "}";
}
std::string CloudWatchAlarmBody(const std::vector<Item>& items) {
  const Item& item = items.front();
  std::string time = FormatUtc(item.time_ms);
  time.replace(time.size() - 1, 1, "+0000");
  std::string message = R"({\"AlarmName\":\")" + item.name +
                        R"(\",\"AlarmDescription\":\"service=shop\",\"NewStateValue\":\"ALARM\",)" +
                        R"(\"NewStateReason\":\")" + item.text + R"(\",\"StateChangeTime\":\")" +
                        time + "\\\"";
  for (int i = 0; i < item.labels; ++i) message += R"(,\"l)" + std::to_string(i) + R"(\":\"x\")";
  return R"({"Type":"Notification","Message":")" + message + "}\"}";
}

std::string Delivery(const std::string& record) {
  return R"({"requestId":"id","records":[{"data":")" + http::Base64(record) + "\"}]}";
}
std::string StreamInJson(const std::vector<Item>& items) {
  std::string lines;
  for (const Item& item : items) {
    lines += R"({"namespace":"Shop","metric_name":")" + item.name + R"(","dimensions":{"text":")" +
             item.text + "\"" + Members(item) + R"(},"timestamp":)" +
             std::to_string(item.time_ms - 60'000) + R"(,"value":{"count":1,"sum":)" + item.value +
             R"(,"min":)" + item.value + R"(,"max":)" + item.value + "}}\n";
  }
  return Delivery(lines);
}
std::string StreamInOtlp(const std::vector<Item>& items) {
  std::vector<cloudwatch::Told> told;
  for (const Item& item : items) {
    cloudwatch::Told one;
    one.space = item.name.empty() ? "" : "Shop";
    one.metric = item.name;
    one.dimensions = {{"text", item.text}};
    for (int i = 0; i < item.labels; ++i) one.dimensions["l" + std::to_string(i)] = "x";
    one.start_ms = item.time_ms - 60'000;
    one.count = 1;
    one.sum = one.min = one.max = std::strtod(item.value.c_str(), nullptr);
    told.push_back(one);
  }
  return Delivery(cloudwatch::AsOtlp(told));
}
std::string StatsdBody(const std::vector<Item>& items) {
  std::string out;
  for (const Item& item : items) {
    out += item.name + ":" + item.value + "|g|#service:shop,text:" + item.text;
    for (int i = 0; i < item.labels; ++i) out += ",l" + std::to_string(i) + ":x";
    out += "\n";
  }
  return out;
}

std::string CostBody(const std::vector<Item>& items) {
  std::string out =
      "lineItem/UsageStartDate,lineItem/UsageEndDate,lineItem/UnblendedCost,"
      "lineItem/ProductCode,resourceTags/user:text";
  for (int i = 0; i < items.front().labels; ++i) out += ",resourceTags/user:l" + std::to_string(i);
  for (const Item& item : items) {
    out += "\n" + FormatUtc(item.time_ms - 3'600'000) + "," + FormatUtc(item.time_ms) + "," +
           (item.name.empty() ? "" : item.value) + "," + item.name + "," + item.text;
    for (int i = 0; i < item.labels; ++i) out += ",x";
  }
  return out + "\n";
}

std::vector<Way> Ways() {
  return {
      {"alertmanager", "alertmanager", "/api/v2/alerts", true, true, AlertmanagerBody},
      {"datadog", "datadog", "/api/v1/webhooks/datadog", false, true, DatadogBody},
      {"newrelic", "newrelic", "/api/v1/webhooks/newrelic", false, true, NewRelicBody},
      {"cloudwatch_alarm", "cloudwatch_alarm", "/api/v1/webhooks/cloudwatch", false, true,
       CloudWatchAlarmBody},
      {"cloudwatch_json", "cloudwatch_stream", "/api/v1/cloudwatch", true, true, StreamInJson},
      {"cloudwatch_otlp", "cloudwatch_stream", "/api/v1/cloudwatch", true, true, StreamInOtlp},
      {"cost_report", "cost_report", "/api/v1/cost", true, true, CostBody},
      {"statsd", "statsd", "", true, false, StatsdBody},
  };
}

class SourceConformance : public Http, public testing::WithParamInterface<Way> {
 protected:
  struct Outcome {
    std::size_t taken = 0;
    double dropped = 0;  // that were counted
    int status = 0;
    std::string said;

    bool told() const { return (status >= 400 && !said.empty()) || dropped > 0; }
  };

  void SetUp() override {
    ASSERT_TRUE(settings_.cloudwatch.mapping.Set("Shop/m", "m = max").ok());
    settings_.cost.settled_after = Duration(0);
    settings_.cost.labels = {"tag:text"};
    Http::SetUp();
  }

  Outcome Offer(const std::string& body) {
    world_.producer.sent.clear();
    Outcome out;
    const double before = Dropped();
    if (*GetParam().path == '\0') {
      OfferDatagram(body, out);
    } else {
      const auto answer = Post(GetParam().path, body, "application/json");
      EXPECT_TRUE(answer) << httplib::to_string(answer.error());
      if (!answer) return out;
      out.status = answer->status;
      out.said = answer->body;
      EXPECT_LT(out.status, 500) << "what is wrong is not to be sent again";
      // Of a bill that is delivered again and again it is no mistake: the answer says it.
      const json told = json::parse(out.said, nullptr, false);
      if (told.is_object() && told.contains("unsettled"))
        out.dropped += told["old"].get<double>() + told["unsettled"].get<double>();
    }
    out.dropped += Dropped() - before;
    for (std::size_t i = 0; i < world_.producer.sent.size(); ++i) Check(world_.Sent(i), out);
    return out;
  }

 private:
  double Dropped() {
    double dropped = 0;
    for (const auto& [name, value] : world_.core->Counters()) {
      if (name == "refused_alerts" || name.starts_with("rejected_points.")) dropped += value;
    }
    return dropped;
  }
  void OfferDatagram(const std::string& body, Outcome& out) {
    StatsdSettings settings;
    settings.address = "127.0.0.1:0";
    auto listener = StatsdListener::Start(*world_.core, settings);
    ASSERT_TRUE(listener.ok()) << listener.error().message;
    const int socket = ::socket(AF_INET, SOCK_DGRAM, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>((*listener)->port()));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const auto sent = ::sendto(socket, body.data(), body.size(), 0,
                               reinterpret_cast<const sockaddr*>(&to), sizeof(to));
    ::close(socket);
    const auto counts = [&] {
      metrics::List list;
      (*listener)->AddMetrics(list);
      return list.ForStatus();
    };
    // No datagram is that long: its sender is told.
    if (sent < 0) {
      out.status = 413;
      out.said = "no datagram";
    }
    for (int i = 0; sent >= 0 && i < 500 && counts().at("statsd_packets") == 0; ++i)
      std::this_thread::sleep_for(Duration(10));
    (*listener)->Stop();
    const auto told = counts();
    out.dropped = told.at("statsd_malformed_lines") + told.at("statsd_unsupported_lines");
  }
  // What holds of every record in the log.
  static void Check(const v1::ShardRecord& record, Outcome& out) {
    if (record.has_alert()) {
      ++out.taken;
      EXPECT_FALSE(record.alert().name().empty());
      EXPECT_LE(record.alert().labels_size(), 64);
      EXPECT_LE(record.alert().starts_ms(), kNow + 60'000);
    }
    const v1::MetricBatch& batch = record.batch();
    out.taken += static_cast<std::size_t>(batch.point_value_size());
    for (const double value : batch.point_value()) EXPECT_TRUE(std::isfinite(value));
    for (const std::int64_t delta : batch.point_time_delta_ms()) {
      EXPECT_GE(batch.base_time_ms() + delta, kNow - 2 * 3'600'000);
      EXPECT_LE(batch.base_time_ms() + delta, kNow + 60'000);
    }
    for (const std::string& text : batch.strings()) EXPECT_TRUE(IsValidUtf8(text));
    for (const v1::SeriesEntry& series : batch.series()) {
      const auto labels = Labels::Decode(series.labels());
      ASSERT_TRUE(labels);
      EXPECT_LE(labels->size(), 64u);
    }
  }
};

TEST_P(SourceConformance, WhatIsGoodIsTakenAndNothingIsSaidOfIt) {
  const Outcome one = Offer(GetParam().body({Item{}}));
  EXPECT_EQ(one.taken, 1u) << one.said;
  EXPECT_FALSE(one.told()) << one.said;
  EXPECT_TRUE(one.status == 200 || one.status == 0);
}

TEST_P(SourceConformance, GarbageIsSaidOrCounted) {
  std::string cut = GetParam().body({Item{}});
  cut.resize(*GetParam().path == '\0' ? 3 : cut.size() / 3);
  for (const std::string& body :
       {std::string("x"), std::string("\xff\xfe\0\x01", 4), std::string("{"), std::string("[7]"),
        std::string("null"), std::string("\"\""), cut}) {
    const Outcome one = Offer(body);
    EXPECT_EQ(one.taken, 0u) << body;
    EXPECT_TRUE(one.told()) << body;
  }
}

TEST_P(SourceConformance, WhatIsBadIsCountedByItself) {
  const Outcome alone = Offer(GetParam().body({Item{.name = ""}}));
  EXPECT_EQ(alone.taken, 0u);
  EXPECT_EQ(alone.dropped, 1) << alone.said;
  if (!GetParam().several) return;
  const Outcome mixed = Offer(
      GetParam().body({Item{.text = "a"}, Item{.name = ""}, Item{.text = "b"}, Item{.name = ""}}));
  EXPECT_EQ(mixed.taken, 2u) << mixed.said;
  EXPECT_EQ(mixed.dropped, 2) << mixed.said;
}

TEST_P(SourceConformance, WhatIsHostileIsTakenOrSaidAndTheNextIsTaken) {
  const auto of = [&](const Item& item) { return GetParam().body({item}); };
  std::vector<std::pair<std::string, std::string>> bodies = {
      {"UTF-8 that is none", of({.text = "\xff\xc0\xaf"})},
      {"an overlong text", of({.text = std::string(900'000, 't')})},
      {"5 MiB", of({.text = std::string(5 << 20, 't')})},
      {"1000 labels", of({.labels = 1000})},
      {"NaN", of({.value = "NaN"})},
      {"infinity", of({.value = "1e999"})},
      {"1970", of({.time_ms = 1000})},
      {"2100", of({.time_ms = 4'102'444'800'000})},
      {"the end of time", of({.time_ms = 253'402'300'799'000})},
  };
  for (const char* open : {"[", "{\"a\":", "{\"records\":["}) {
    std::string deep;
    while (deep.size() < 300'000) deep += open;
    bodies.emplace_back(kDeep, deep);
    if (std::string(GetParam().folder) == "cloudwatch_stream")
      bodies.emplace_back("deep nesting in a record", Delivery("{\"value\":" + deep));
  }
  const bool reads_json = std::string("[{").find(of({})[0]) != std::string::npos;
  for (const auto& [what, body] : bodies) {
    const Outcome one = Offer(body);
    EXPECT_TRUE(one.taken > 0 || one.told()) << what << ": " << one.status << " " << one.said;
    // By its depth, before anything is made of it.
    if (one.status == 400 && what == kDeep && reads_json) {
      EXPECT_THAT(one.said, HasSubstr("nested deeper"));
    }
    const Outcome next = Offer(GetParam().body({Item{}}));
    EXPECT_EQ(next.taken, 1u) << "after " << what << ": " << next.said;
  }
}

// An hour that cannot be is never taken for one that can.
TEST_P(SourceConformance, AValueOfAnotherAgeIsDropped) {
  if (!GetParam().timed || std::string(GetParam().folder) != "cloudwatch_stream") return;
  for (const std::int64_t time_ms : {std::int64_t{61'000}, kNow - 3 * 3'600'000, kNow + 3'600'000,
                                     std::int64_t{4'102'444'800'000}}) {
    const Outcome one = Offer(GetParam().body({Item{.time_ms = time_ms}}));
    EXPECT_EQ(one.taken, 0u) << time_ms;
    EXPECT_EQ(one.dropped, 1) << time_ms;
  }
}

INSTANTIATE_TEST_SUITE_P(All, SourceConformance, testing::ValuesIn(Ways()),
                         [](const auto& one) { return std::string(one.param.word); });

TEST(Sources, AreAllUnderIt) {
  std::set<std::string> under = {"alert"};  // what those of alerts share
  for (const Way& way : Ways()) under.insert(way.folder);
  std::set<std::string> folders;
  for (const auto& entry : std::filesystem::directory_iterator(std::string(LIVEOPS_SOURCE_DIR) +
                                                               "/services/ingest/source")) {
    if (entry.is_directory()) folders.insert(entry.path().filename().string());
  }
  EXPECT_EQ(folders, under);
}

}  // namespace
}  // namespace liveops::ingest
