#include "error.hpp"

#include <cstdio>
#include <cstring>
#include <new>
#include <stdexcept>
#include <string>
#include <system_error>

#include "structs.hpp"

namespace kpm::c {

namespace {

/// Each thread has its own. Plain memory: nothing to construct, and nothing to destroy when a
/// thread ends or the library is unloaded.
thread_local kpm_error last{sizeof(kpm_error), KPM_OK, 0, "", -1, -1, 0.0, ""};

void say(const char* message) noexcept {
  std::snprintf(last.message, sizeof last.message, "%s", message);
}

void keep(const Fault& fault, const char* message) noexcept {
  last.code = KPM_INVALID_INPUT;
  last.field = name_of(fault.field);
  last.index = fault.index;
  last.state = fault.state;
  last.value = fault.value;
  say(message);
}

}  // namespace

void Refusal::describe(kpm_error& error) const noexcept {
  error.code = KPM_INVALID_INPUT;
  error.field = field_;
  error.index = index_;
  error.value = value_;
  char at[24] = "";
  if (index_ >= 0) {
    std::snprintf(at, sizeof at, "[%lld]", static_cast<long long>(index_));
  }
  char number[32] = "";
  char got[40] = "";
  if (has_value_) {
    write_shortest(value_, number);
    std::snprintf(got, sizeof got, ", got %s", number);
  }
  char note[64] = "";
  if (note_.before != nullptr) {
    write_shortest(note_.number, number);
    std::snprintf(note, sizeof note, "%s%s%s", note_.before, number, note_.after);
  }
  std::snprintf(error.message, sizeof error.message, "%s%s %s%s%s", field_, at, rule_, got, note);
}

std::int32_t keep_fault(const Fault& fault) {
  const std::string message = describe(fault);
  keep(fault, message.c_str());
  return last.code;
}

std::int32_t keep_current_exception() noexcept {
  last = {sizeof(kpm_error), KPM_INTERNAL_ERROR, 0, "", -1, -1, 0.0, ""};
  try {
    throw;
  } catch (const InvalidInput& error) {
    keep(error.fault(), error.what());
  } catch (const Refusal& error) {
    error.describe(last);
  } catch (const Unsupported& error) {
    last.code = KPM_UNSUPPORTED;
    say(error.what());
  } catch (const std::bad_alloc&) {
    last.code = KPM_OUT_OF_MEMORY;
    say("out of memory");
  } catch (const std::length_error&) {  // more than any memory holds
    last.code = KPM_OUT_OF_MEMORY;
    say("out of memory");
  } catch (const std::system_error& error) {
    last.code = KPM_SYSTEM_ERROR;
    say(error.what());
  } catch (const std::exception& error) {
    say(error.what());
  } catch (...) {
    say("unknown exception");
  }
  return last.code;
}

}  // namespace kpm::c

extern "C" {

std::int32_t kpm_abi_version(void) { return KPM_ABI_VERSION; }

const char* kpm_version(void) { return KPM_VERSION; }

std::int32_t kpm_last_error(kpm_error* error) {
  // A failure here must not hide the one that is asked for.
  if (error != nullptr) {
    kpm::c::write(kpm::c::last, error);
  }
  return kpm::c::last.code;
}

}  // extern "C"
