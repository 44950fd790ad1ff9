#include <curl/curl.h>

#include <algorithm>
#include <atomic>
#include <cctype>
#include <cstring>
#include <deque>
#include <mutex>
#include <set>
#include <thread>
#include <unordered_map>

#include "common/http/address.h"
#include "common/http/http.h"

namespace liveops::http {
namespace {

constexpr std::size_t kBodyMax = 64 << 10;
constexpr std::size_t kHeadersMax = 32 << 10;
constexpr int kIdleWaitMs = 60'000;  // curl_multi_wakeup ends it at once

std::string Lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

// The host of a URL as libcurl reads it, so that our check and its connection speak of the same
// one. "" when malformed.
std::string HostOf(const std::string& url) {
  CURLU* parsed = curl_url();
  std::string host;
  if (curl_url_set(parsed, CURLUPART_URL, url.c_str(), 0) == CURLUE_OK) {
    char* part = nullptr;
    if (curl_url_get(parsed, CURLUPART_HOST, &part, 0) == CURLUE_OK) host = Lower(part);
    curl_free(part);
  }
  curl_url_cleanup(parsed);
  return host;
}

struct Transfer {
  Request request;
  std::function<void(const Outcome&)> done;
  CURL* easy = nullptr;
  curl_slist* headers = nullptr;
  std::string host;
  bool private_allowed = false;
  AddressScope refused = AddressScope::kPublic;  // not kPublic: a connection was refused for it
  std::size_t body_taken = 0;
  std::size_t header_bytes = 0;
  Outcome outcome;

  Transfer() = default;
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;
  ~Transfer() {
    if (easy) curl_easy_cleanup(easy);
    curl_slist_free_all(headers);
  }
};

curl_socket_t OpenSocket(void* user, curlsocktype, curl_sockaddr* address) {
  auto* transfer = static_cast<Transfer*>(user);
  const AddressScope scope = ScopeOf(&address->addr);
  if (scope != AddressScope::kPublic && !transfer->private_allowed) {
    transfer->refused = scope;
    return CURL_SOCKET_BAD;
  }
  return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

std::size_t ReadBody(char* to, std::size_t size, std::size_t count, void* user) {
  auto* transfer = static_cast<Transfer*>(user);
  const std::size_t left = transfer->request.body.size() - transfer->body_taken;
  const std::size_t n = std::min(left, size * count);
  std::memcpy(to, transfer->request.body.data() + transfer->body_taken, n);
  transfer->body_taken += n;
  return n;
}

// libcurl rewinds to repeat a request by itself when a kept-alive connection died under it. Once
// body bytes left, the other side may have acted: such a repeat is the caller's decision.
int RefuseRewind(void*, curl_off_t, int) { return CURL_SEEKFUNC_FAIL; }

std::size_t TakeBody(char* data, std::size_t size, std::size_t count, void* user) {
  auto* transfer = static_cast<Transfer*>(user);
  std::string& body = transfer->outcome.response.body;
  body.append(data, std::min(size * count, kBodyMax - body.size()));
  return size * count;  // the rest is read and dropped
}

std::size_t TakeHeader(char* data, std::size_t size, std::size_t count, void* user) {
  auto* transfer = static_cast<Transfer*>(user);
  std::string_view line(data, size * count);
  if (line.starts_with("HTTP/")) transfer->outcome.response.headers.clear();  // of a 1xx answer
  transfer->header_bytes += line.size();
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || transfer->header_bytes > kHeadersMax) return size * count;
  std::string_view value = line.substr(colon + 1);
  const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  while (!value.empty() && blank(value.front())) value.remove_prefix(1);
  while (!value.empty() && blank(value.back())) value.remove_suffix(1);
  transfer->outcome.response.headers[Lower(line.substr(0, colon))] = std::string(value);
  return size * count;
}

bool HasControl(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

// What is wrong with a request before anything is opened; "" when nothing.
std::string Refusal(const Request& request, const std::string& host) {
  const std::string start = Lower(request.url.substr(0, 8));
  if (!start.starts_with("http://") && !start.starts_with("https://")) {
    return "the URL must begin with http:// or https://";
  }
  if (host.empty() || HasControl(request.url)) return "the URL is malformed";
  for (const auto& [name, value] : request.headers) {
    if (name.empty() || HasControl(name) || HasControl(value)) {
      return "a header holds a control character";
    }
  }
  return "";
}

// Errors after which no byte of the request can have left.
bool NeverConnected(CURLcode code) {
  switch (code) {
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
      return true;
    default:
      return false;
  }
}

Error ErrorOf(const Transfer& transfer, CURLcode code) {
  if (transfer.refused != AddressScope::kPublic) {
    return DeniedError(transfer.host + " leads to a " + AddressScopeName(transfer.refused) +
                       " address, which http.allow_private_hosts does not list");
  }
  const std::string message = transfer.host + ": " + curl_easy_strerror(code);
  if (code == CURLE_OPERATION_TIMEDOUT) return TimeoutError(message);
  if (code == CURLE_PEER_FAILED_VERIFICATION) {
    return DeniedError(transfer.host + ": its certificate is not trusted");
  }
  if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL ||
      code == CURLE_SSL_CACERT_BADFILE) {
    return InvalidError(message);
  }
  return UnavailableError(message);
}

void GlobalInit() {
  static const CURLcode once = curl_global_init(CURL_GLOBAL_DEFAULT);
  (void)once;
}

}  // namespace

struct Sender::Impl {
  explicit Impl(SenderConfig given) : config(std::move(given)) {
    GlobalInit();
    for (const std::string& host : config.allow_private_hosts) allowed.insert(Lower(host));
    multi = curl_multi_init();
    thread = std::thread([this] { Loop(); });
  }

  ~Impl() {
    stop = true;
    curl_multi_wakeup(multi);
    thread.join();
    curl_multi_cleanup(multi);
  }

  void Send(Request request, std::function<void(const Outcome&)> done) {
    auto transfer = std::make_unique<Transfer>();
    transfer->request = std::move(request);
    transfer->done = std::move(done);
    {
      const std::lock_guard lock(mutex);
      queue.push_back(std::move(transfer));
    }
    curl_multi_wakeup(multi);
  }

  void Loop() {
    while (!stop) {
      StartQueued();
      int running = 0;
      curl_multi_perform(multi, &running);
      FinishDone();
      if (stop) break;
      curl_multi_poll(multi, nullptr, 0, kIdleWaitMs, nullptr);
    }
    for (auto& [easy, transfer] : active) curl_multi_remove_handle(multi, easy);
    for (auto& [easy, transfer] : active) Cancel(*transfer);
    active.clear();
    for (auto& transfer : TakeQueue()) Cancel(*transfer);
  }

  std::deque<std::unique_ptr<Transfer>> TakeQueue() {
    const std::lock_guard lock(mutex);
    return std::exchange(queue, {});
  }

  static void Cancel(Transfer& transfer) {
    transfer.outcome = Outcome{.answered = false,
                               .response = {},
                               .error = TimeoutError("given up: the sender is shutting down"),
                               .surely_not_sent = false};
    transfer.done(transfer.outcome);
  }

  static void Refuse(Transfer& transfer, Error error) {
    transfer.outcome.error = std::move(error);
    transfer.outcome.surely_not_sent = true;
    transfer.done(transfer.outcome);
  }

  void StartQueued() {
    for (auto& transfer : TakeQueue()) {
      transfer->host = HostOf(transfer->request.url);
      if (const std::string why = Refusal(transfer->request, transfer->host); !why.empty()) {
        Refuse(*transfer, InvalidError(why));
        continue;
      }
      if (transfer->request.still_wanted && !transfer->request.still_wanted()) {
        Refuse(*transfer, ConflictError("no longer wanted when its turn came"));
        continue;
      }
      transfer->private_allowed = allowed.contains(transfer->host);
      Prepare(*transfer);
      CURL* easy = transfer->easy;
      curl_multi_add_handle(multi, easy);
      active.emplace(easy, std::move(transfer));
    }
  }

  void Prepare(Transfer& t) {
    CURL* e = t.easy = curl_easy_init();
    curl_easy_setopt(e, CURLOPT_URL, t.request.url.c_str());
    curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(e, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(e, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(e, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    if (!config.ca_file.empty()) curl_easy_setopt(e, CURLOPT_CAINFO, config.ca_file.c_str());
    curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, static_cast<long>(t.request.timeout.count()));
    curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(t.request.timeout.count()));
    curl_easy_setopt(e, CURLOPT_USERAGENT, "LiveOps");
    curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, &OpenSocket);
    curl_easy_setopt(e, CURLOPT_OPENSOCKETDATA, &t);
    curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, &TakeBody);
    curl_easy_setopt(e, CURLOPT_WRITEDATA, &t);
    curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, &TakeHeader);
    curl_easy_setopt(e, CURLOPT_HEADERDATA, &t);
    if (t.request.method == "GET") {
      curl_easy_setopt(e, CURLOPT_HTTPGET, 1L);
    } else {
      curl_easy_setopt(e, CURLOPT_POST, 1L);
      curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE,
                       static_cast<curl_off_t>(t.request.body.size()));
      curl_easy_setopt(e, CURLOPT_READFUNCTION, &ReadBody);
      curl_easy_setopt(e, CURLOPT_READDATA, &t);
      curl_easy_setopt(e, CURLOPT_SEEKFUNCTION, &RefuseRewind);
      if (t.request.method != "POST") {
        curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, t.request.method.c_str());
      }
    }
    for (const auto& [name, value] : t.request.headers) {
      t.headers = curl_slist_append(t.headers, (name + ": " + value).c_str());
    }
    t.headers = curl_slist_append(t.headers, "Expect:");
    curl_easy_setopt(e, CURLOPT_HTTPHEADER, t.headers);
  }

  void FinishDone() {
    int left = 0;
    while (CURLMsg* message = curl_multi_info_read(multi, &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      const CURLcode code = message->data.result;
      CURL* easy = message->easy_handle;
      curl_multi_remove_handle(multi, easy);
      auto node = active.extract(easy);
      Transfer& transfer = *node.mapped();
      long status = 0;
      curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
      // An answer whose body broke off is still an answer: the status line is what decides.
      transfer.outcome.answered = status >= 200;
      transfer.outcome.response.status = static_cast<int>(status);
      if (!transfer.outcome.answered) {
        const std::size_t size = transfer.request.body.size();
        transfer.outcome.error = ErrorOf(transfer, code);
        transfer.outcome.surely_not_sent =
            NeverConnected(code) || (size > 0 && transfer.body_taken < size);
      }
      transfer.done(transfer.outcome);
    }
  }

  SenderConfig config;
  std::set<std::string> allowed;
  CURLM* multi = nullptr;
  std::atomic<bool> stop{false};
  std::mutex mutex;
  std::deque<std::unique_ptr<Transfer>> queue;
  std::unordered_map<CURL*, std::unique_ptr<Transfer>> active;
  std::thread thread;
};

Sender::Sender(SenderConfig config) : impl_(std::make_unique<Impl>(std::move(config))) {}
Sender::~Sender() = default;

void Sender::Send(Request request, std::function<void(const Outcome&)> done) {
  impl_->Send(std::move(request), std::move(done));
}

}  // namespace liveops::http
