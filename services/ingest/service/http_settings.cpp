#include "services/ingest/service/http_settings.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

#include "common/config/references.h"

namespace liveops::ingest {
namespace {

constexpr std::size_t kSecretBytesMin = 16;
constexpr std::int64_t kThreadsMax = 1000;
constexpr Duration kCostPeriod{3'600'000};  // the shortest that bills are made of

std::set<std::string> Names(std::string_view list) {
  std::set<std::string> names;
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    std::string_view name = list.substr(0, comma);
    while (!name.empty() && name.front() == ' ') name.remove_prefix(1);
    while (!name.empty() && name.back() == ' ') name.remove_suffix(1);
    if (!name.empty()) names.emplace(name);
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return names;
}

void ReadTokens(config::Reader& reader, HttpSettings& out) {
  std::map<std::string, std::string> services = reader.Map("http.token_services");
  for (auto& [name, secret] : reader.Map("http.tokens")) {
    if (secret.size() < kSecretBytesMin) {
      reader.Problem("http.tokens", "the token of " + name + " is shorter than " +
                                        std::to_string(kSecretBytesMin) + " characters");
    }
    HttpToken token{name, secret, {}};
    if (const auto found = services.find(name); found != services.end()) {
      token.services = Names(found->second);
      if (token.services.empty())
        reader.Problem("http.token_services", "no service is named for " + name);
      services.erase(found);
    }
    out.tokens.push_back(std::move(token));
  }
  for (const auto& [name, list] : services)
    reader.Problem("http.token_services", "there is no token of " + name);
}

void ReadSns(config::Reader& reader, cloudwatch_alarm::SnsSettings& out) {
  constexpr const char* kCertificates = "alerts.sns.certificates";
  constexpr const char* kTopics = "alerts.sns.topics";
  const std::vector<std::string> files = reader.List(kCertificates);
  for (const std::string& file : files) {
    const Result<std::string> pem = config::ReadFile(file);
    if (!pem) {
      reader.Problem(kCertificates, pem.error().message);
      continue;
    }
    const auto read = http::SigningCertificate::ReadAll(*pem);
    if (!read) {
      reader.Problem(kCertificates, file + ": " + read.error().message);
      continue;
    }
    out.certificates.insert(out.certificates.end(), read->begin(), read->end());
  }
  for (std::string& topic : reader.List(kTopics)) {
    if (!topic.starts_with("arn:"))
      reader.Problem(kTopics, "a topic is named by its ARN: arn:aws:sns:REGION:ACCOUNT:NAME");
    out.topics.insert(std::move(topic));
  }
  if (files.empty() && !out.topics.empty()) {
    reader.Problem(kTopics,
                   "alerts.sns.topics says nothing without alerts.sns.certificates: no signature "
                   "would be "
                   "checked");
  }
  if (!files.empty() && out.topics.empty()) {
    reader.Problem(kCertificates,
                   "alerts.sns.certificates needs alerts.sns.topics: SNS signs the messages of "
                   "anybody's topics");
  }
}

void ReadCloudWatch(config::Reader& reader, cloudwatch::TranslatorSettings& out) {
  out.service = reader.String("cloudwatch.service", out.service);
  if (out.service.empty()) reader.Problem("cloudwatch.service", "must have a name");
  for (const auto& [rule, service] : reader.Map("cloudwatch.services")) {
    if (const Status s = out.services.Set(rule, service); !s)
      reader.Problem("cloudwatch.services", s.error().message);
  }
  for (const auto& [key, outputs] : reader.Map("cloudwatch.metrics")) {
    if (const Status s = out.mapping.Set(key, outputs); !s)
      reader.Problem("cloudwatch.metrics", s.error().message);
  }
}

void ReadCost(config::Reader& reader, HttpSettings& out) {
  cost::ReportSettings& cost = out.cost;
  cost.service = reader.String("cost.service", cost.service);
  if (cost.service.empty()) reader.Problem("cost.service", "must have a name");
  cost.tag = reader.String("cost.tag", cost.tag);
  cost.services = reader.Map("cost.services");
  if (auto labels = reader.List("cost.labels"); !labels.empty()) cost.labels = std::move(labels);
  for (const std::string& label : cost.labels) {
    if (const std::string fault = cost::LabelFault(label); !fault.empty())
      reader.Problem("cost.labels", fault);
  }
  cost.settled_after = reader.Time("cost.settled_after", cost.settled_after);
  if (cost.settled_after > cost.past - kCostPeriod) {
    reader.Problem("cost.settled_after",
                   "must be at most " + FormatDuration(cost.past - kCostPeriod) +
                       ": what is later than " + FormatDuration(cost.past) + " is judged no more");
  }
  const std::int64_t bytes =
      reader.Integer("cost.report_bytes", static_cast<std::int64_t>(out.cost_report_bytes_max));
  if (bytes < 1) reader.Problem("cost.report_bytes", "must be at least 1");
  out.cost_report_bytes_max = static_cast<std::size_t>(std::max<std::int64_t>(bytes, 1));
}

}  // namespace

HttpSettings ReadHttpSettings(config::Reader& reader) {
  HttpSettings out;
  out.address = reader.String("http.address");
  out.plain_address = reader.String("http.plain_address");
  const std::int64_t threads = reader.Integer("http.threads", out.threads);
  if (threads < 1 || threads > kThreadsMax)
    reader.Problem("http.threads", "must be 1 to " + std::to_string(kThreadsMax));
  out.threads = static_cast<int>(std::clamp<std::int64_t>(threads, 1, kThreadsMax));
  ReadTokens(reader, out);
  RemoteWrites::Settings& remote = out.remote_write;
  if (auto labels = reader.List("remote_write.service_labels"); !labels.empty())
    remote.service_labels = std::move(labels);
  if (auto labels = reader.List("alerts.service_labels"); !labels.empty())
    out.alerts.service_labels = std::move(labels);
  const std::int64_t series =
      reader.Integer("remote_write.series", static_cast<std::int64_t>(remote.series_max));
  if (series < 1) reader.Problem("remote_write.series", "must be at least 1");
  remote.series_max = static_cast<std::size_t>(std::max<std::int64_t>(series, 1));
  for (auto& name : reader.List("remote_write.counters")) remote.types.counters.insert(name);
  for (auto& name : reader.List("remote_write.gauges")) {
    if (remote.types.counters.contains(name))
      reader.Problem("remote_write.gauges", name + " is among the counters, too");
    remote.types.gauges.insert(name);
  }
  ReadSns(reader, out.sns);
  ReadCloudWatch(reader, out.cloudwatch);
  ReadCost(reader, out);
  return out;
}

}  // namespace liveops::ingest
