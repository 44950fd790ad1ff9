#include "deploy/local/stack/kafka_broker.h"

#include <chrono>
#include <filesystem>
#include <thread>

#include "common/kafka/kafka.h"
#include "deploy/local/stack/ports.h"

namespace liveops::stack {
namespace {

namespace fs = std::filesystem;

// Any base64 of 16 bytes will do: clusters of one private broker never meet.
constexpr const char* kClusterId = "bGl2ZW9wcy1zYW5kYm94MA";
constexpr Duration kProbePause{25};
constexpr Duration kFormatTimeout{60'000};

std::string Properties(const KafkaOptions& options) {
  const std::string port = std::to_string(options.port);
  const std::string controller = std::to_string(options.controller_port);
  std::string text;
  text += "process.roles=broker,controller\n";
  text += "node.id=1\n";
  text += "controller.quorum.voters=1@127.0.0.1:" + controller + "\n";
  text +=
      "listeners=PLAINTEXT://127.0.0.1:" + port + ",CONTROLLER://127.0.0.1:" + controller + "\n";
  text += "advertised.listeners=PLAINTEXT://127.0.0.1:" + port + "\n";
  text += "controller.listener.names=CONTROLLER\n";
  text += "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT\n";
  text += "log.dirs=" + options.dir + "/data\n";
  text += "auto.create.topics.enable=false\n";
  text += "offsets.topic.replication.factor=1\n";
  text += "offsets.topic.num.partitions=8\n";  // 50, the default, cost 2 s at the first group join
  text += "transaction.state.log.replication.factor=1\n";
  text += "transaction.state.log.min.isr=1\n";
  text += "transaction.state.log.num.partitions=2\n";
  text += "share.coordinator.state.topic.replication.factor=1\n";
  text += "share.coordinator.state.topic.min.isr=1\n";
  text += "group.initial.rebalance.delay.ms=0\n";
  text += "log.retention.bytes=" + std::to_string(options.retention_bytes) + "\n";
  text += "log.segment.bytes=67108864\n";
  text += "log.cleaner.dedupe.buffer.size=16777216\n";
  text += "num.network.threads=2\n";
  text += "num.io.threads=4\n";
  text += "num.recovery.threads.per.data.dir=2\n";
  return text;
}

std::vector<std::string> Java(const KafkaOptions& options, const std::vector<std::string>& flags,
                              const std::vector<std::string>& arguments) {
  std::vector<std::string> argv = {"java", "-Xmx384m", "-XX:+UseSerialGC",
                                   "-Djava.awt.headless=true"};
  argv.insert(argv.end(), flags.begin(), flags.end());
  if (options.quick_start) argv.push_back("-XX:TieredStopAtLevel=1");
  argv.push_back("-cp");
  argv.push_back(options.libs_dir + "/*");
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return argv;
}

}  // namespace

Result<std::unique_ptr<KafkaBroker>> KafkaBroker::Start(KafkaOptions options) {
  std::error_code error;
  if (!fs::is_directory(options.libs_dir, error)) {
    return InvalidError("no Apache Kafka in " + options.libs_dir + "; run `make setup`");
  }
  fs::create_directories(options.dir, error);
  if (Status s = WriteFile(options.dir + "/server.properties", Properties(options)); !s.ok()) {
    return s.error();
  }
  std::unique_ptr<KafkaBroker> broker(new KafkaBroker(std::move(options)));
  if (Status s = broker->Format(); !s.ok()) return s.error();
  if (Status s = broker->Launch(); !s.ok()) return s.error();
  return broker;
}

Status KafkaBroker::Format() const {
  const fs::path data = options_.dir + "/data";
  const fs::path formatted = options_.libs_dir + "/../formatted";
  std::error_code error;
  if (fs::exists(data / "meta.properties", error)) return {};
  if (fs::exists(formatted / "meta.properties", error)) {
    fs::copy(formatted, data, fs::copy_options::recursive, error);
    if (!error) return {};
    fs::remove_all(data, error);
  }
  ProcessSpec format;
  format.name = "kafka format";
  format.argv = Java(options_, {},
                     {"kafka.tools.StorageTool", "format", "-t", kClusterId, "-c",
                      options_.dir + "/server.properties"});
  Result<RunOutcome> outcome = RunToEnd(format, kFormatTimeout);
  if (!outcome.ok()) return outcome.error();
  if (!outcome->status.clean()) {
    return InternalError("formatting Kafka's data folder: " + outcome->status.ToString() + "\n" +
                         outcome->out + outcome->err);
  }
  // For the next one; whoever renames first wins, and a failure costs only time.
  const fs::path fresh = formatted.string() + "." + std::to_string(options_.port);
  fs::copy(data, fresh, fs::copy_options::recursive, error);
  fs::rename(fresh, formatted, error);
  fs::remove_all(fresh, error);
  return {};
}

Status KafkaBroker::Launch() {
  const std::string archive = options_.libs_dir + "/../kafka.jsa";
  std::error_code error;
  archive_made_.clear();
  if (!fs::exists(archive, error)) archive_made_ = archive + "." + std::to_string(options_.port);
  ProcessSpec spec;
  spec.name = "kafka";
  // The JVM leaves an archive that does not fit its build or the jars unused.
  spec.argv = Java(options_,
                   {makes_archive() ? "-XX:ArchiveClassesAtExit=" + archive_made_
                                    : "-XX:SharedArchiveFile=" + archive,
                    "-Xlog:cds=off", "-Xlog:cds+dynamic=off"},
                   {"kafka.Kafka", options_.dir + "/server.properties"});
  spec.cwd = options_.dir;
  spec.log_file = options_.dir + "/kafka.log";
  Result<std::unique_ptr<ChildProcess>> process = ChildProcess::Spawn(spec);
  if (!process.ok()) return process.error();
  process_ = std::move(*process);
  return {};
}

Status KafkaBroker::WaitReady(Duration timeout) {
  const SteadyTime deadline = std::chrono::steady_clock::now() + timeout;
  const kafka::ClientConfig client{address(), "sandbox", {}};
  while (std::chrono::steady_clock::now() < deadline) {
    if (!process_->running()) {
      return UnavailableError("Kafka ended (" + process_->Wait(Duration(0))->ToString() + "):\n" +
                              TailOf(process_->log_file(), 15));
    }
    if (PortAnswers(options_.port) &&
        kafka::EnsureTopics(client, {}, /*replication=*/1, Duration(2'000)).ok()) {
      return {};
    }
    std::this_thread::sleep_for(kProbePause);
  }
  return UnavailableError("Kafka did not answer within " + FormatElapsed(timeout) + ":\n" +
                          TailOf(process_->log_file(), 15));
}

std::string KafkaBroker::address() const { return "127.0.0.1:" + std::to_string(options_.port); }

void KafkaBroker::Stop() {
  const bool was_running = process_->running();
  process_->Stop(Duration(15'000));
  if (!makes_archive() || !was_running) return;
  std::error_code error;
  fs::rename(archive_made_, options_.libs_dir + "/../kafka.jsa", error);
  archive_made_.clear();
}

void KafkaBroker::Kill() {
  process_->Kill();
  std::error_code error;
  if (makes_archive()) fs::remove(archive_made_, error);
}

Status KafkaBroker::Restart(Duration timeout) {
  Stop();
  if (Status s = Launch(); !s.ok()) return s;
  return WaitReady(timeout);
}

}  // namespace liveops::stack
