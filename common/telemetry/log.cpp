#include "common/telemetry/log.h"

#include <signal.h>
#include <spdlog/async_logger.h>
#include <spdlog/details/thread_pool.h>
#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>

#include <atomic>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "common/base/text.h"
#include "common/base/time.h"

namespace liveops::log {
namespace {

// A slow reader of our standard error must not hold up a page: lines wait in this queue, the oldest
// gives way.
constexpr std::size_t kQueueLines = 2048;
constexpr std::size_t kValueBytesMax = 8 << 10;
constexpr auto kFlushWait = std::chrono::milliseconds(500);

// Writes to whatever standard error is at that moment, and counts, so that Flush knows when it is
// done.
class StderrSink : public spdlog::sinks::base_sink<std::mutex> {
 public:
  std::uint64_t written() const { return written_.load(std::memory_order_acquire); }

 protected:
  void sink_it_(const spdlog::details::log_msg& msg) override {
    std::fwrite(msg.payload.data(), 1, msg.payload.size(), stderr);
    written_.fetch_add(1, std::memory_order_release);
  }
  void flush_() override { std::fflush(stderr); }

 private:
  std::atomic<std::uint64_t> written_{0};
};

struct Logger {
  std::mutex mutex;  // guards the pointers while Init replaces them
  std::string identity;
  std::shared_ptr<StderrSink> sink = std::make_shared<StderrSink>();
  std::shared_ptr<spdlog::details::thread_pool> pool;
  std::shared_ptr<spdlog::logger> logger = std::make_shared<spdlog::logger>("liveops", sink);
  std::atomic<std::uint64_t> queued{0};
};

std::atomic<Level> g_level{Level::kInfo};

// Never destroyed: static destructors of others may still log.
Logger& Global() {
  static Logger* const logger = new Logger();
  return *logger;
}

const char* LevelName(Level level) {
  switch (level) {
    case Level::kDebug:
      return "debug";
    case Level::kInfo:
      return "info";
    case Level::kWarn:
      return "warn";
    case Level::kError:
      return "error";
  }
  return "error";
}

spdlog::level::level_enum ToSpdlog(Level level) {
  switch (level) {
    case Level::kDebug:
      return spdlog::level::debug;
    case Level::kInfo:
      return spdlog::level::info;
    case Level::kWarn:
      return spdlog::level::warn;
    case Level::kError:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

void AppendUnicodeEscape(unsigned code, std::string& out) {
  static constexpr char kDigits[] = "0123456789abcdef";
  out += "\\u";
  for (int shift = 12; shift >= 0; shift -= 4) out += kDigits[(code >> shift) & 0xf];
}

// RFC 8259, section 7. Beyond what it asks for, DEL, the C1 controls (a terminal may obey them) and
// U+2028/U+2029 (line ends to some readers) are escaped too.
void AppendString(std::string_view raw, std::string& out) {
  const std::string text =
      ScrubUtf8(raw.size() > kValueBytesMax ? Truncate(raw, kValueBytesMax) : std::string(raw));
  out += '"';
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    const auto next = [&](std::size_t n) { return static_cast<unsigned char>(text[i + n]); };
    if (c == '"' || c == '\\') {
      out += '\\';
      out += static_cast<char>(c);
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c < 0x20 || c == 0x7f) {
      AppendUnicodeEscape(c, out);
    } else if (c == 0xc2 && next(1) < 0xa0) {
      AppendUnicodeEscape(next(1), out);
      i += 1;
    } else if (c == 0xe2 && next(1) == 0x80 && (next(2) == 0xa8 || next(2) == 0xa9)) {
      AppendUnicodeEscape(0x2000u | (next(2) - 0x80u), out);
      i += 2;
    } else {
      out += static_cast<char>(c);
    }
  }
  out += '"';
}

void AppendValue(const Field& field, std::string& out) {
  char buffer[40];
  if (const auto* text = std::get_if<std::string>(&field.value)) {
    AppendString(*text, out);
  } else if (const auto* whole = std::get_if<std::int64_t>(&field.value)) {
    out.append(buffer, std::to_chars(buffer, buffer + sizeof(buffer), *whole).ptr);
  } else if (const auto* real = std::get_if<double>(&field.value)) {
    if (std::isfinite(*real)) {
      out.append(buffer, std::to_chars(buffer, buffer + sizeof(buffer), *real).ptr);
    } else {
      // JSON has no such numbers.
      out += std::isnan(*real) ? "\"NaN\"" : (*real > 0 ? "\"Infinity\"" : "\"-Infinity\"");
    }
  } else {
    out += std::get<bool>(field.value) ? "true" : "false";
  }
}

std::string BuildLine(Level level, std::string_view identity, std::string_view event,
                      std::initializer_list<Field> fields, std::string_view trace_id) {
  std::string line;
  line.reserve(256);
  line += "{\"time\":\"";
  line += FormatUtc(ToMs(WallClockNow()));
  line += "\",\"level\":\"";
  line += LevelName(level);
  line += '"';
  line += identity;
  line += ",\"event\":";
  AppendString(event, line);
  if (!trace_id.empty()) {
    line += ",\"trace_id\":";
    AppendString(trace_id, line);
  }
  for (const Field& field : fields) {
    line += ',';
    AppendString(field.name, line);
    line += ':';
    AppendValue(field, line);
  }
  line += "}\n";
  return line;
}

}  // namespace

void Init(std::string_view service, std::string_view instance, Level level) {
  Flush();
  Logger& global = Global();
  std::string identity = ",\"service\":";
  AppendString(service, identity);
  identity += ",\"instance\":";
  AppendString(instance, identity);

  const std::lock_guard lock(global.mutex);
  g_level.store(level, std::memory_order_relaxed);
  global.identity = std::move(identity);
  if (global.pool) return;
  // Signals are for the thread that waits for them, which may block them only after this thread has
  // started.
  global.pool = std::make_shared<spdlog::details::thread_pool>(kQueueLines, 1, [] {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, nullptr);
  });
  auto logger = std::make_shared<spdlog::async_logger>(
      "liveops", global.sink, global.pool, spdlog::async_overflow_policy::overrun_oldest);
  global.logger = std::move(logger);
  global.logger->set_level(spdlog::level::trace);
  global.logger->flush_on(spdlog::level::err);
  std::atexit([] { Flush(); });
}

void Write(Level level, std::string_view event, std::initializer_list<Field> fields,
           std::string_view trace_id) {
  if (level < g_level.load(std::memory_order_relaxed)) return;
  Logger& global = Global();
  std::string identity;
  std::shared_ptr<spdlog::logger> logger;
  {
    const std::lock_guard lock(global.mutex);
    identity = global.identity;
    logger = global.logger;
  }
  const std::string line = BuildLine(level, identity, event, fields, trace_id);
  global.queued.fetch_add(1, std::memory_order_relaxed);
  logger->log(ToSpdlog(level), spdlog::string_view_t(line.data(), line.size()));
}

void Flush() {
  Logger& global = Global();
  std::shared_ptr<spdlog::details::thread_pool> pool;
  {
    const std::lock_guard lock(global.mutex);
    pool = global.pool;
  }
  const auto deadline = std::chrono::steady_clock::now() + kFlushWait;
  const auto pending = [&] {
    return pool && global.sink->written() + pool->overrun_counter() < global.queued.load();
  };
  while (pending() && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  global.sink->flush();
}

}  // namespace liveops::log
