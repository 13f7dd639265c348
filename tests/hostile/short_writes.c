/* short_writes REPORT PROGRAM...: runs a program whose writes to sockets take one byte each. Writes into the file REPORT
 * how many it has cut short. x86-64 only: it changes their registers. */
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 8 };

static unsigned long cut;

/* The length that a thread asked for, while its call is under way: a call leaves that register alone. */
static struct {
    pid_t pid;
    unsigned long long asked;
} calls[THREADS];

/* In the traced program's memory. */
static void copy_in(pid_t pid, uintptr_t address, void *local, size_t len) {
    struct iovec here = {local, len}, there = {(void *)address, len};
    if (process_vm_readv(pid, &here, 1, &there, 1, 0) != (ssize_t)len) memset(local, 0, len);
}

static void copy_out(pid_t pid, uintptr_t address, const void *local, size_t len) {
    struct iovec here = {(void *)(uintptr_t)local, len}, there = {(void *)address, len};
    if (process_vm_writev(pid, &here, 1, &there, 1, 0) < 0) perror("process_vm_writev");
}

/* A vectored write of one byte: the parts before the first that is not empty, and one byte of that. The list is the
 * caller's own and made anew for each call. */
static void cut_message(pid_t pid, uintptr_t address) {
    struct msghdr message;
    struct iovec part;
    copy_in(pid, address, &message, sizeof message);
    for (size_t i = 0; i < message.msg_iovlen; i++) {
        uintptr_t at = (uintptr_t)&message.msg_iov[i];
        copy_in(pid, at, &part, sizeof part);
        if (part.iov_len == 0) continue;
        if (part.iov_len > 1 || i + 1 < message.msg_iovlen) cut++;
        part.iov_len = 1;
        copy_out(pid, at, &part, sizeof part);
        message.msg_iovlen = i + 1;
        copy_out(pid, address, &message, sizeof message);
        return;
    }
}

/* A call begins: its third argument is its length. */
static void enter(pid_t pid, struct user_regs_struct *registers) {
    if (registers->orig_rax == SYS_sendmsg) cut_message(pid, registers->rsi);
    if (registers->orig_rax != SYS_sendto || registers->rdx <= 1) return;
    for (int i = 0; i < THREADS; i++) {
        if (calls[i].pid != 0) continue;
        calls[i].pid = pid;
        calls[i].asked = registers->rdx;
        registers->rdx = 1;
        cut++;
        ptrace(PTRACE_SETREGS, pid, NULL, registers);
        return;
    }
}

static void leave(pid_t pid, struct user_regs_struct *registers) {
    for (int i = 0; i < THREADS; i++) {
        if (calls[i].pid != pid) continue;
        calls[i].pid = 0;
        registers->rdx = calls[i].asked;
        ptrace(PTRACE_SETREGS, pid, NULL, registers);
    }
}

static void on_call(pid_t pid) {
    struct user_regs_struct registers;
    if (ptrace(PTRACE_GETREGS, pid, NULL, &registers)) return;
    if ((long long)registers.rax == -ENOSYS) enter(pid, &registers);
    else leave(pid, &registers);
}

int main(int argc, char **argv) {
    int status;
    pid_t child, pid;
    FILE *report;
    if (argc < 3) return 2;
    if ((child = fork()) == 0) {
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        execv(argv[2], argv + 2);
        _exit(127);
    }
    if (waitpid(child, &status, 0) != child || !WIFSTOPPED(status)) return 1;
    ptrace(PTRACE_SETOPTIONS, child, NULL, (void *)(PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL));
    ptrace(PTRACE_SYSCALL, child, NULL, NULL);
    while ((pid = waitpid(-1, &status, __WALL)) > 0) {
        long number = 0;
        if (pid == child && (WIFEXITED(status) || WIFSIGNALED(status))) break;
        if (!WIFSTOPPED(status)) continue;
        if (WSTOPSIG(status) == (SIGTRAP | 0x80)) on_call(pid);
        else if (WSTOPSIG(status) != SIGTRAP && WSTOPSIG(status) != SIGSTOP) number = WSTOPSIG(status);
        ptrace(PTRACE_SYSCALL, pid, NULL, (void *)number);
    }
    if (!(report = fopen(argv[1], "w"))) return 1;
    fprintf(report, "%lu\n", cut);
    fclose(report);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
