// Kafka and Redis are not there at start: each service says what it waits for, stops in order when
// told to, and serves once they come. A wrong configuration is an exit code with the place.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <csignal>
#include <filesystem>

#include "deploy/local/stack/kafka_broker.h"
#include "deploy/local/stack/ports.h"
#include "deploy/local/stack/service_process.h"
#include "integration-tests/outages/ground.h"

namespace liveops::outages {
namespace {

using ::testing::HasSubstr;

// Three times what is promised: a test host may be busy.
constexpr Duration kServesWithin{45'000};
constexpr Duration kStopsWithin{24'000};

std::string BinariesDir() {
  return std::filesystem::read_symlink("/proc/self/exe").parent_path().string();
}

class AbsentAtStart : public ::testing::Test {
 protected:
  void SetUp() override {
    auto authority = stack::Authority::Open(dir_ + "/tls");
    ASSERT_TRUE(authority.ok()) << authority.error().message;
    authority_ = std::make_unique<stack::Authority>(std::move(*authority));
    auto ports = stack::FreePorts(7);
    ASSERT_TRUE(ports.ok()) << ports.error().message;
    ports_ = *ports;
    for (std::size_t i = 0; i < std::size(stack::kServices); ++i) {
      auto started = stack::ServiceProcess::Start(SpecOf(stack::kServices[i], ports_[i]));
      ASSERT_TRUE(started.ok()) << started.error().message;
      services_.push_back(std::move(*started));
    }
  }

  void TearDown() override {
    services_.clear();
    if (HasFailure() || getenv("LIVEOPS_KEEP") != nullptr) {
      fmt::print("The logs are kept in {}\n", dir_);
    } else {
      std::filesystem::remove_all(dir_);
    }
  }

  int kafka_port() const { return ports_[4]; }
  int controller_port() const { return ports_[5]; }
  int redis_port() const { return ports_[6]; }

  stack::ServiceSpec SpecOf(stack::Service service, int port) {
    stack::ServiceSpec spec;
    spec.service = service;
    spec.instance = std::string(stack::ServiceName(service)) + "-0";
    spec.binary = BinariesDir() + "/" + stack::BinaryName(service);
    spec.dir = dir_ + "/services";
    spec.ca_file = authority_->ca_file();
    spec.port = port;
    auto identity = authority_->Issue(stack::ServiceName(service), {});
    EXPECT_TRUE(identity.ok());
    if (identity.ok()) spec.identity = *identity;
    spec.settings["kafka.brokers"] = stack::Quoted("127.0.0.1:" + std::to_string(kafka_port()));
    if (service == stack::Service::kRuleEvaluation || service == stack::Service::kNotifier) {
      spec.settings["redis.host"] = "127.0.0.1";
      spec.settings["redis.port"] = std::to_string(redis_port());
    }
    if (service == stack::Service::kRemediation) {
      spec.settings["kubectl.path"] = stack::Quoted(BinariesDir() + "/kubectl-standin");
    }
    return spec;
  }

  static std::string Health(const stack::ServiceProcess& service) {
    const stack::ServiceSpec& spec = service.spec();
    return HealthOf(service.address(), {spec.ca_file, spec.identity.cert, spec.identity.key});
  }

  const std::string dir_ = FolderOf("absent");
  std::unique_ptr<stack::Authority> authority_;
  std::vector<int> ports_;
  std::vector<std::unique_ptr<stack::ServiceProcess>> services_;
};

TEST_F(AbsentAtStart, WithoutKafkaTheyAreNotServingSayWhyAndStopInOrder) {
  for (const auto& service : services_) {
    SCOPED_TRACE(service->spec().instance);
    EXPECT_TRUE(Await(Duration(30'000), [&] { return Health(*service) == "NOT_SERVING"; }))
        << Health(*service);
  }
  for (const auto& service : services_) {
    SCOPED_TRACE(service->spec().instance);
    std::string log;
    EXPECT_TRUE(Await(Duration(45'000), [&] {
      log = stack::TailOf(service->log_file(), 50);
      return log.find("\"waiting\"") != std::string::npos;
    })) << log;
    EXPECT_THAT(log, HasSubstr("Kafka"));
    EXPECT_TRUE(service->process().running());
    EXPECT_EQ(Health(*service), "NOT_SERVING");
  }
  const SteadyTime told_to = std::chrono::steady_clock::now();
  for (const auto& service : services_) service->process().Signal(SIGTERM);
  for (const auto& service : services_) {
    SCOPED_TRACE(service->spec().instance);
    const std::optional<stack::ExitStatus> ended = service->process().Wait(kStopsWithin);
    RecordProperty(service->spec().instance + "_ended_by_ms", SinceMs(told_to));
    ASSERT_TRUE(ended.has_value()) << "has not ended 24 s after SIGTERM\n"
                                   << stack::TailOf(service->log_file(), 15);
    EXPECT_TRUE(ended->clean()) << ended->ToString();
  }
}

TEST_F(AbsentAtStart, TheyServeOnceKafkaComesAndNoneWaitsForRedis) {
  for (const auto& service : services_) {
    EXPECT_TRUE(Await(Duration(30'000), [&] { return Health(*service) == "NOT_SERVING"; }))
        << service->spec().instance << ": " << Health(*service);
  }
  stack::KafkaOptions options;
  options.libs_dir = BinariesDir() + "/../../third_party/kafka/libs";
  options.dir = dir_ + "/kafka";
  options.port = kafka_port();
  options.controller_port = controller_port();
  auto kafka = stack::KafkaBroker::Start(options);
  ASSERT_TRUE(kafka.ok()) << kafka.error().message;
  const SteadyTime came = std::chrono::steady_clock::now();
  for (const auto& service : services_) {
    const Status serving = service->WaitServing(kServesWithin);
    EXPECT_TRUE(serving.ok()) << serving.error().message;
  }
  RecordProperty("serving_after_ms", SinceMs(came));
  services_.clear();  // before the broker
}

class BadConfiguration : public ::testing::TestWithParam<stack::Service> {
 protected:
  static stack::RunOutcome RunWith(const std::string& config) {
    const std::string dir = FolderOf("config");
    std::filesystem::create_directories(dir);
    const std::string file = dir + "/service.yaml";
    EXPECT_TRUE(stack::WriteFile(file, config).ok());
    stack::ProcessSpec spec;
    spec.argv = {BinariesDir() + "/" + stack::BinaryName(GetParam()), "--config", file};
    auto outcome = stack::RunToEnd(spec, Duration(10'000));
    std::filesystem::remove_all(dir);
    EXPECT_TRUE(outcome.ok()) << outcome.error().message;
    return outcome.ok() ? *outcome : stack::RunOutcome{};
  }
};

TEST_P(BadConfiguration, AnUndefinedVariableIsNamedWithItsLine) {
  const stack::RunOutcome outcome = RunWith(
      "instance: one\n"
      "kafka:\n"
      "  brokers: ${env:LIVEOPS_NOT_DEFINED_ANYWHERE}\n");
  EXPECT_EQ(outcome.status.code, 2) << outcome.status.ToString();
  EXPECT_THAT(outcome.err, HasSubstr("service.yaml:3:"));
  EXPECT_THAT(outcome.err, HasSubstr("LIVEOPS_NOT_DEFINED_ANYWHERE"));
}

TEST_P(BadConfiguration, AnUnknownKeyIsAnsweredWithTheNearestWord) {
  const stack::RunOutcome outcome = RunWith(
      "instance: one\n"
      "kafka:\n"
      "  brokers: 127.0.0.1:1\n"
      "  partitons: 4\n");
  EXPECT_EQ(outcome.status.code, 2) << outcome.status.ToString();
  EXPECT_THAT(outcome.err, HasSubstr("service.yaml:4:"));
  EXPECT_THAT(outcome.err, HasSubstr("partitons"));
  EXPECT_THAT(outcome.err, HasSubstr("partitions"));
}

TEST_P(BadConfiguration, AMissingFileIsNamed) {
  stack::ProcessSpec spec;
  spec.argv = {BinariesDir() + "/" + stack::BinaryName(GetParam()), "--config",
               "/nowhere/service.yaml"};
  auto outcome = stack::RunToEnd(spec, Duration(10'000));
  ASSERT_TRUE(outcome.ok()) << outcome.error().message;
  EXPECT_EQ(outcome->status.code, 2) << outcome->status.ToString();
  EXPECT_THAT(outcome->err, HasSubstr("/nowhere/service.yaml"));
}

INSTANTIATE_TEST_SUITE_P(EachService, BadConfiguration, ::testing::ValuesIn(stack::kServices),
                         [](const auto& test) {
                           std::string name = stack::ServiceName(test.param);
                           for (char& c : name) c = c == '-' ? '_' : c;
                           return name;
                         });

}  // namespace
}  // namespace liveops::outages
