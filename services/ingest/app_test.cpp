// Ingest's configuration: what can be set is set, is told of in docs/, and is found again when it
// is misspelt; and what docs/ show as a configuration is one.
#include "services/ingest/app.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>

namespace liveops::ingest {
namespace {

using testing::HasSubstr;

constexpr const char* kCommon =
    "instance: i\nkafka: {brokers: k:1}\ngrpc: {address: \"\", plain_address: 127.0.0.1:0}\n";

std::string FileText(const std::filesystem::path& path) {
  std::ifstream in(path);
  std::ostringstream text;
  text << in.rdbuf();
  EXPECT_FALSE(text.str().empty()) << path;
  return text.str();
}

const std::filesystem::path kSource = LIVEOPS_SOURCE_DIR;

class IngestConfig : public testing::Test {
 protected:
  IngestConfig()
      : file_(std::filesystem::temp_directory_path() /
              ("liveops-ingest-config-" + std::to_string(::getpid()) + ".yaml")) {}
  ~IngestConfig() override { std::filesystem::remove(file_); }

  Result<AppConfig> Read(const std::string& text) {
    std::ofstream(file_) << kCommon << text;
    return ReadConfig(file_.string());
  }
  // What is wrong with it; "" = nothing.
  std::string Faults(const std::string& text) {
    const Result<AppConfig> read = Read(text);
    return read.ok() ? "" : read.error().message;
  }

  const std::filesystem::path file_;
};

// Every setting of ingest's own, none as it is when left out.
const std::map<std::string, std::string>& All() {
  static const std::map<std::string, std::string> all = {
      {"alerts.service_labels", "[app]"},
      {"cloudwatch.metrics", R"({"Shop/OrderValue": "order_count = count"})"},
      {"cloudwatch.service", "edge"},
      {"cloudwatch.services", R"({"DBInstanceIdentifier=shop-main": shop})"},
      {"cost.labels", R"([product, "tag:team"])"},
      {"cost.report_bytes", "1000"},
      {"cost.service", "platform"},
      {"cost.services", "{AmazonRDS: shop-database}"},
      {"cost.settled_after", "12h"},
      {"cost.tag", "app"},
      {"http.address", "127.0.0.1:1"},
      {"http.plain_address", "127.0.0.1:2"},
      {"http.threads", "8"},
      {"http.token_services", R"({agent: "shop, bank"})"},
      {"http.tokens", "{agent: 0123456789abcdef}"},
      {"limits.burst", "5s"},
      {"limits.bytes_per_second", "1000"},
      {"limits.bytes_per_second_of", "{agent: 2000}"},
      {"limits.connections", "11"},
      {"limits.future", "9s"},
      {"limits.histogram_buckets", "12"},
      {"limits.in_flight_bytes", "13"},
      {"limits.label_name_bytes", "14"},
      {"limits.label_value_bytes", "15"},
      {"limits.labels_per_series", "16"},
      {"limits.log_attributes", "17"},
      {"limits.log_in_flight_bytes", "18"},
      {"limits.log_message_bytes", "19"},
      {"limits.message_bytes", "20"},
      {"limits.past", "1h"},
      {"limits.points_per_batch", "21"},
      {"limits.points_per_second", "100"},
      {"limits.points_per_second_of", "{agent: 200}"},
      {"limits.record_bytes", "22"},
      {"limits.series_in_all", "23"},
      {"limits.series_per_batch", "24"},
      {"limits.series_per_service", "25"},
      {"limits.series_per_stream", "26"},
      {"limits.stream_series_bytes", "27"},
      {"remote_write.counters", "[odd]"},
      {"remote_write.gauges", "[db_connection_count]"},
      {"remote_write.series", "28"},
      {"remote_write.service_labels", "[app]"},
      {"self_watch.every", "20s"},
      {"statsd.address", "127.0.0.1:3"},
      {"statsd.flush_every", "1s"},
      {"statsd.forget_after", "1min"},
      {"statsd.series", "29"},
      {"statsd.service", "shop"},
  };
  return all;
}

std::string SectionOf(const std::string& key) { return key.substr(0, key.find('.')); }
std::string WordOf(const std::string& key) { return key.substr(key.rfind('.') + 1); }

// As a file, where `misspelt` lacks its second letter.
std::string Text(const std::string& misspelt = "") {
  std::string out;
  std::string section;
  for (const auto& [key, value] : All()) {
    if (SectionOf(key) != section) out += (section = SectionOf(key)) + ":\n";
    std::string word = WordOf(key);
    if (key == misspelt) word.erase(1, 1);
    out += "  " + word + ": " + value + "\n";
  }
  return out;
}

TEST_F(IngestConfig, WhatIsSetHolds) {
  const Result<AppConfig> read = Read(Text());
  ASSERT_TRUE(read.ok()) << read.error().message;
  const Settings& core = read->settings;
  const admit::Limits& limits = core.limits;
  EXPECT_EQ(limits.histogram_buckets, 12u);
  EXPECT_EQ(core.in_flight_bytes_max, 13u);
  EXPECT_EQ(limits.label_name_bytes, 14u);
  EXPECT_EQ(limits.label_value_bytes, 15u);
  EXPECT_EQ(limits.labels_per_series, 16u);
  EXPECT_EQ(read->logs.limits.attributes, 17u);
  EXPECT_EQ(read->logs.in_flight_bytes_max, 18u);
  EXPECT_EQ(read->logs.limits.message_bytes, 19u);
  EXPECT_EQ(read->common.grpc.message_bytes_max, 20u);
  EXPECT_EQ(read->http.message_bytes_max, 20u);
  EXPECT_EQ(limits.points_per_batch, 21u);
  EXPECT_EQ(core.record_bytes_max, 22u);
  EXPECT_EQ(limits.series_in_all, 23u);
  EXPECT_EQ(limits.series_per_batch, 24u);
  EXPECT_EQ(limits.series_per_service, 25u);
  EXPECT_EQ(limits.series_per_stream, 26u);
  EXPECT_EQ(core.series_bytes_max, 27u);
  EXPECT_EQ(limits.future, Duration(9'000));
  EXPECT_EQ(limits.past, Duration(3'600'000));
  EXPECT_EQ(read->common.grpc.connections_max, 11);
  EXPECT_EQ(core.rates.Of("agent").points_per_second, 200);
  EXPECT_EQ(core.rates.Of("agent").bytes_per_second, 2000);
  EXPECT_EQ(core.rates.Of("other").bytes_per_second, 1000);
  EXPECT_EQ(core.rates.burst, Duration(5'000));
  EXPECT_EQ(read->self_watch_every, Duration(20'000));
  EXPECT_EQ(read->http.alerts.service_labels, std::vector<std::string>{"app"});
  EXPECT_EQ(read->http.remote_write.series_max, 28u);
  EXPECT_EQ(read->http.cost_report_bytes_max, 1000u);
  EXPECT_EQ(read->http.cost.labels, (std::vector<std::string>{"product", "tag:team"}));
  EXPECT_EQ(read->http.cost.service, "platform");
  EXPECT_EQ(read->http.cost.services.at("AmazonRDS"), "shop-database");
  EXPECT_EQ(read->http.cost.settled_after, Duration(43'200'000));
  EXPECT_EQ(read->http.cost.tag, "app");
  EXPECT_EQ(read->statsd.address, "127.0.0.1:3");
  EXPECT_EQ(read->statsd.flush_every, Duration(1'000));
  EXPECT_EQ(read->statsd.aggregator.forget_after, Duration(60'000));
  EXPECT_EQ(read->statsd.aggregator.series, 29u);
  EXPECT_EQ(read->statsd.aggregator.service, "shop");
}

TEST_F(IngestConfig, WhatIsMisspeltIsToldWithTheWordThatWasMeant) {
  for (const auto& [key, value] : All()) {
    std::string word = WordOf(key);
    const std::string meant = "did you mean \"" + word + "\"?";
    word.erase(1, 1);
    EXPECT_THAT(Faults(Text(key)),
                HasSubstr("unknown key \"" + SectionOf(key) + "." + word + "\"; " + meant));
  }
  EXPECT_THAT(Faults("limit: {past: 1h}\n"),
              HasSubstr(":4:1: unknown key \"limit\"; did you mean \"limits\"?"));
}

// What the sources ask a configuration for stands in All (or, of files, with SNS), and in docs/.
TEST_F(IngestConfig, EverySettingIsTriedAndDocumented) {
  std::vector<std::string> pages;
  for (const auto& entry : std::filesystem::directory_iterator(kSource / "docs")) {
    if (entry.path().extension() == ".md") pages.push_back(FileText(entry.path()));
  }
  const std::regex key(
      "\"((?:alerts|cloudwatch|cost|http|limits|remote_write|self_watch|statsd)"
      "\\.[a-z_.]+)\"");
  std::set<std::string> asked;
  for (const char* file : {"app.cpp", "service/http_settings.cpp", "service/rate_settings.cpp",
                           "service/statsd_listener.cpp"}) {
    const std::string source = FileText(kSource / "services/ingest" / file);
    for (std::sregex_iterator it(source.begin(), source.end(), key), end; it != end; ++it)
      asked.insert((*it)[1]);
  }
  EXPECT_GT(asked.size(), 40u);
  for (const std::string& one : asked) {
    EXPECT_TRUE(All().contains(one) || one.starts_with("alerts.sns.")) << one;
    // On a page that is about its section.
    const std::regex word("`(?:[a-z_]+\\.)*" + WordOf(one) + "[`:]|\\b" + WordOf(one) + ":");
    const std::regex section("\\b" + SectionOf(one) + "[.:]");
    EXPECT_TRUE(std::any_of(pages.begin(), pages.end(),
                            [&](const std::string& page) {
                              return std::regex_search(page, section) &&
                                     std::regex_search(page, word);
                            }))
        << one << " is on no page";
  }
  for (const auto& [one, value] : All()) EXPECT_TRUE(asked.contains(one)) << one;
}

TEST_F(IngestConfig, WhatDocsShowAsOneIsOne) {
  const std::set<std::string> sections = {"alerts", "cloudwatch",   "cost",       "http",
                                          "limits", "remote_write", "self_watch", "statsd"};
  const std::regex block("```yaml\n([\\s\\S]*?)```");
  const std::regex top("^([a-z_]+):", std::regex::multiline);
  int read = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kSource / "docs")) {
    if (entry.path().extension() != ".md") continue;
    const std::string page = FileText(entry.path());
    for (std::sregex_iterator it(page.begin(), page.end(), block), end; it != end; ++it) {
      const std::string text = (*it)[1];
      bool ours = true;
      for (std::sregex_iterator at(text.begin(), text.end(), top); at != end; ++at)
        ours = ours && sections.contains((*at)[1]);
      // Prometheus has a section of that name, too; certificates are files.
      if (!ours || text.find("- url:") != std::string::npos ||
          text.find("/etc/liveops/") != std::string::npos)
        continue;
      EXPECT_EQ(Faults(text), "") << entry.path() << ":\n" << text;
      ++read;
    }
  }
  EXPECT_GE(read, 6);
}

TEST_F(IngestConfig, WhatCannotBeIsSaid) {
  const std::string faults =
      Faults(R"(statsd: {service: "", flush_every: 5ms, forget_after: 1ms, series: 0}
cost: {service: "", labels: [acount], settled_after: 36h, report_bytes: 0}
limits: {future: 1h, past: soon, series_in_all: -1, log_message_bytes: 1000000, log_attributes: 500}
self_watch: {every: 10ms}
)");
  for (const char* fault :
       {":4:19: statsd.service must have a name",
        "statsd.flush_every must be between 100ms and 1min",
        "statsd.forget_after must be at least statsd.flush_every",
        "statsd.series must be at least 1", ":5:17: cost.service must have a name",
        "\"acount\" is no label of a cost, expected account", "cost.settled_after must be at most ",
        "cost.report_bytes must be at least 1", "limits.future must be at most",
        "limits.past is not a length of time, such as", "limits.series_in_all must be at least 1",
        "limits.log_message_bytes must be at most 262144",
        "limits.log_attributes must be at most 128", "self_watch.every must be at least 1s"}) {
    EXPECT_THAT(faults, HasSubstr(fault));
  }
}

}  // namespace
}  // namespace liveops::ingest
