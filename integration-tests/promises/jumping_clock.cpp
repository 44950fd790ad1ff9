// Preloaded into a process it adds to the wall clock that the process reads, so that a test can
// make the clock of one program of a host jump: by the milliseconds (a 64-bit integer) that stand
// in the file $LIVEOPS_CLOCK_DIR/<name of the program>. The steady clock stays as it is.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <string>

extern "C" char* program_invocation_short_name;

namespace {

const volatile std::int64_t* Map() {
  const char* dir = std::getenv("LIVEOPS_CLOCK_DIR");
  if (dir == nullptr) return nullptr;
  const std::string file = std::string(dir) + "/" + program_invocation_short_name;
  const int fd = open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return nullptr;
  void* const at = mmap(nullptr, sizeof(std::int64_t), PROT_READ, MAP_SHARED, fd, 0);
  close(fd);
  return at == MAP_FAILED ? nullptr : static_cast<const volatile std::int64_t*>(at);
}

std::int64_t JumpMs() {
  static const volatile std::int64_t* const jump = Map();
  return jump == nullptr ? 0 : *jump;
}

template <typename F>
F Real(const char* name) {
  return reinterpret_cast<F>(dlsym(RTLD_NEXT, name));
}

}  // namespace

extern "C" int clock_gettime(clockid_t clock, timespec* out) noexcept {
  static const auto real = Real<int (*)(clockid_t, timespec*)>("clock_gettime");
  const int result = real(clock, out);
  if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
    out->tv_sec += JumpMs() / 1000;
  }
  return result;
}

extern "C" int gettimeofday(timeval* out, void* zone) noexcept {
  static const auto real = Real<int (*)(timeval*, void*)>("gettimeofday");
  const int result = real(out, zone);
  if (result == 0) out->tv_sec += JumpMs() / 1000;
  return result;
}

extern "C" std::time_t time(std::time_t* out) noexcept {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  if (out != nullptr) *out = now.tv_sec;
  return now.tv_sec;
}
