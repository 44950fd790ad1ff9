#include "deploy/local/stack/sink_process.h"

#include <httplib.h>

#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>

#include "deploy/local/stack/ports.h"

namespace liveops::stack {
namespace {

using nlohmann::json;

LedgerEntry FromJson(const json& line) {
  LedgerEntry entry;
  entry.number = line.value("number", std::int64_t{0});
  entry.received_us = line.value("received_us", std::int64_t{0});
  entry.received_steady_ns = line.value("received_steady_ns", std::int64_t{0});
  entry.provider = line.value("provider", "");
  entry.channel = line.value("channel", "");
  entry.kind = line.value("kind", "");
  entry.status = line.value("status", 0);
  entry.effect = line.value("effect", "");
  entry.alert = line.value("alert", std::int64_t{0});
  entry.fault = line.value("fault", "");
  entry.violations = line.value("violations", std::vector<std::string>{});
  entry.title = line.value("title", "");
  const json body = line.value("body", json::object());
  entry.body = body.dump();
  if (entry.provider != "pagerduty" || !body.is_object()) return entry;
  const auto text = [](const json& object, const char* name) {
    return object.contains(name) && object[name].is_string() ? object[name].get<std::string>() : "";
  };
  entry.dedup_key = text(body, "dedup_key");
  if (body.contains("payload") && body["payload"].is_object()) {
    const json& payload = body["payload"];
    entry.severity = text(payload, "severity");
    const json details = payload.value("custom_details", json::object());
    const auto number = [&](const char* name) {
      return details.is_object() && details.contains(name) && details[name].is_number()
                 ? details[name].get<std::int64_t>()
                 : std::int64_t{0};
    };
    if (details.is_object()) entry.alarm_id = text(details, "alarm_id");
    entry.clock_real_ms = number("clock_real_ms");
    entry.episode_ms = number("episode_ms");
  }
  return entry;
}

httplib::Client ClientOf(int port) {
  httplib::Client client("127.0.0.1", port);
  client.set_connection_timeout(1);
  client.set_read_timeout(5);
  return client;
}

}  // namespace

Result<std::unique_ptr<SinkProcess>> SinkProcess::Start(const std::string& binary,
                                                        const std::string& dir, int port,
                                                        double slack_messages_per_second) {
  std::error_code error;
  std::filesystem::create_directories(dir, error);
  std::unique_ptr<SinkProcess> sink(new SinkProcess(binary, dir, port, slack_messages_per_second));
  if (Status s = sink->Launch(); !s.ok()) return s.error();
  return sink;
}

Status SinkProcess::Launch() {
  ProcessSpec spec;
  spec.name = "sink";
  spec.argv = {binary_,       "--port",       std::to_string(port_), "--ledger",
               ledger_file(), "--slack-rate", std::to_string(rate_)};
  spec.log_file = dir_ + "/sink.log";
  Result<std::unique_ptr<ChildProcess>> process = ChildProcess::Spawn(spec);
  if (!process.ok()) return process.error();
  process_ = std::move(*process);
  return {};
}

Status SinkProcess::WaitReady(Duration timeout) {
  const SteadyTime deadline = std::chrono::steady_clock::now() + timeout;
  while (std::chrono::steady_clock::now() < deadline && process_->running()) {
    if (PortAnswers(port_)) return {};
    std::this_thread::sleep_for(Duration(10));
  }
  return UnavailableError("the sink does not answer:\n" + TailOf(process_->log_file(), 15));
}

std::string SinkProcess::SlackUrl(const std::string& channel) const {
  return url() + "/slack/" + (channel.starts_with("#") ? channel.substr(1) : channel);
}

Result<std::vector<LedgerEntry>> SinkProcess::Ledger(std::int64_t after) const {
  const httplib::Result answer = ClientOf(port_).Get("/ledger?after=" + std::to_string(after));
  if (!answer || answer->status != 200) return UnavailableError("the sink's ledger cannot be read");
  const json document = json::parse(answer->body, nullptr, /*allow_exceptions=*/false);
  if (!document.is_object()) return UnavailableError("the sink's ledger is not JSON");
  std::vector<LedgerEntry> entries;
  for (const json& line : document["entries"]) entries.push_back(FromJson(line));
  return entries;
}

Status SinkProcess::Inject(const Fault& fault) const {
  json body = {{"count", fault.count}, {"drop", fault.drop}, {"delay_ms", fault.delay.count()}};
  if (!fault.provider.empty()) body["provider"] = fault.provider;
  if (!fault.channel.empty()) body["channel"] = fault.channel;
  if (fault.status != 0) body["status"] = fault.status;
  if (fault.retry_after) body["retry_after"] = *fault.retry_after;
  if (fault.apply) body["apply"] = *fault.apply;
  const httplib::Result answer = ClientOf(port_).Post("/faults", body.dump(), "application/json");
  if (!answer || answer->status != 200) {
    return UnavailableError("the sink took no fault" + (answer ? ": " + answer->body : ""));
  }
  return {};
}

Status SinkProcess::ClearFaults() const {
  const httplib::Result answer = ClientOf(port_).Delete("/faults");
  if (!answer || answer->status != 200) return UnavailableError("the sink does not answer");
  return {};
}

void SinkProcess::Stop() { process_->Stop(Duration(3'000)); }

void SinkProcess::Kill() { process_->Kill(); }

Status SinkProcess::Restart(Duration timeout) {
  Stop();
  if (Status s = Launch(); !s.ok()) return s;
  return WaitReady(timeout);
}

}  // namespace liveops::stack
