#ifndef _GNU_SOURCE
#define _GNU_SOURCE  // close_range
#endif
#include "guarded.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

enum { PROGRESS = 'p', SOUND = 's', EXHAUSTED = 'e' };

// Where the child reports; set in the child only.
static int report = -1;

static void tell(char what) {
  while (write(report, &what, 1) < 0 && errno == EINTR) {}
}

void guarded_progress(void) { tell(PROGRESS); }

void guarded_exhausted(void) {
  tell(EXHAUSTED);
  _exit(0);
}

// Bytes of the address space of this process; 0 where the system does not tell.
static unsigned long long address_space(void) {
  unsigned long long pages = 0;
  FILE *file = fopen("/proc/self/statm", "re");
  if (!file) return 0;
  if (fscanf(file, "%llu", &pages) != 1) pages = 0;
  fclose(file);
  return pages * (unsigned long long)sysconf(_SC_PAGESIZE);
}

static void lower(int what, unsigned long long most) {
  struct rlimit limit;
  if (getrlimit(what, &limit) != 0) return;
  if (limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur > most) limit.rlim_cur = most;
  setrlimit(what, &limit);
}

// Descriptors of the parent but the standard ones and `report`: a lock (flock) or a pipe that it lets go of must not live on here.
static void close_inherited(void) {
#ifdef __linux__
  int failed = report > 3 && close_range(3, (unsigned)report - 1, 0) != 0;
  if (!failed && close_range((unsigned)report + 1, ~0u, 0) == 0) return;
#endif
  for (int other = 3, end = (int)sysconf(_SC_OPEN_MAX); other < end; other++) {
    if (other != report) close(other);
  }
}

// The child dies silently, without core file and handlers of the parent, and with the parent.
static void prepare_child(unsigned long long most_memory) {
  static const int fatal[] = {SIGSEGV, SIGBUS,  SIGABRT, SIGILL, SIGFPE,
                              SIGTRAP, SIGPIPE, SIGINT,  SIGTERM};
  for (unsigned i = 0; i < sizeof fatal / sizeof *fatal; i++) signal(fatal[i], SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
#ifdef __linux__
  prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
  int null = open("/dev/null", O_RDWR);
  if (null >= 0) {
    dup2(null, STDOUT_FILENO);
    dup2(null, STDERR_FILENO);
  }
  lower(RLIMIT_CORE, 0);
  if (most_memory > 0) lower(RLIMIT_AS, most_memory);
}

// The last word of the child; SOUND only if it came to its end.
static struct hdf5_finding listen_to(int from, int seconds) {
  struct hdf5_finding finding = {HDF5_CRASHED, 0};
  while (1) {
    struct pollfd source = {from, POLLIN, 0};
    int ready = poll(&source, 1, seconds * 1000);
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) {
      finding.verdict = HDF5_STALLED;
      return finding;
    }
    char words[256];
    ssize_t count = read(from, words, sizeof words);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return finding;
    char last = words[count - 1];
    if (last == PROGRESS) continue;
    finding.verdict = last == SOUND ? HDF5_SOUND : HDF5_EXHAUSTED;
    return finding;
  }
}

struct hdf5_finding guarded_run(
    void (*body)(const char *), const char *argument, int seconds, unsigned long long bytes) {
  unsigned long long used = address_space();
  int ends[2];
  if (pipe(ends) != 0) return (struct hdf5_finding){HDF5_UNTESTED, errno};
  fcntl(ends[0], F_SETFD, FD_CLOEXEC);
  fcntl(ends[1], F_SETFD, FD_CLOEXEC);
  pid_t child = fork();
  if (child == 0) {
    close(ends[0]);
    report = ends[1];
    close_inherited();
    prepare_child(used > 0 ? used + bytes : 0);
    body(argument);
    tell(SOUND);
    _exit(0);
  }
  int error = errno;
  close(ends[1]);
  if (child < 0) {
    close(ends[0]);
    return (struct hdf5_finding){HDF5_UNTESTED, error};
  }
  struct hdf5_finding finding = listen_to(ends[0], seconds);
  close(ends[0]);
  if (finding.verdict == HDF5_STALLED) kill(child, SIGKILL);
  int status = 0;
  pid_t ended;
  do ended = waitpid(child, &status, 0);
  while (ended < 0 && errno == EINTR);
  if (finding.verdict == HDF5_CRASHED && ended == child && WIFSIGNALED(status)) {
    finding.detail = WTERMSIG(status);
  }
  return finding;
}
