/* A power cut, at its worst: only what was synced is on the disk, and only names whose folder was synced exist.
 *
 * Preloaded into a process that writes files into the folder POWER_CUT_LIVE. Each fsync or fdatasync
 * of a file there copies it to POWER_CUT_DISK as NAME.bytes; each fsync of the folder itself notes which names there
 * are (NAME.named) and forgets those that are gone. Kill the process at any moment: POWER_CUT_DISK is what the
 * disk would hold. Nothing is really synced: the kernel outlives the process.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;

/* Reads by the handle itself: opening the file again and closing it would drop the locks SQLite has on it. */
static void copy(int from, const char *to) {
    char part[PATH_MAX + 8], buffer[65536];
    snprintf(part, sizeof part, "%s.part", to);
    int out = open(part, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    ssize_t length;
    for (off_t at = 0; (length = pread(from, buffer, sizeof buffer, at)) > 0; at += length)
        if (write(out, buffer, length) != length) abort();
    if (out < 0 || length < 0 || close(out) != 0 || rename(part, to) != 0) abort();
}

static void note_names(const char *live, const char *disk) {
    char path[PATH_MAX];
    struct dirent *entry;
    DIR *folder = opendir(live);
    while (folder && (entry = readdir(folder))) {
        if (entry->d_name[0] == '.') continue;
        snprintf(path, sizeof path, "%s/%s.named", disk, entry->d_name);
        int note = open(path, O_WRONLY | O_CREAT, 0600);
        if (note >= 0) close(note);
    }
    if (folder) closedir(folder);
    folder = opendir(disk);
    while (folder && (entry = readdir(folder))) {
        char name[NAME_MAX + 1];
        snprintf(name, sizeof name, "%s", entry->d_name);
        char *end = strstr(name, ".named");
        if (!end) continue;
        *end = 0;
        snprintf(path, sizeof path, "%s/%s", live, name);
        if (access(path, F_OK) == 0) continue;
        snprintf(path, sizeof path, "%s/%s.named", disk, name);
        unlink(path);
        snprintf(path, sizeof path, "%s/%s.bytes", disk, name);
        unlink(path);
    }
    if (folder) closedir(folder);
}

static int synced(int handle) {
    const char *live = getenv("POWER_CUT_LIVE"), *disk = getenv("POWER_CUT_DISK");
    char link[64], path[PATH_MAX], kept[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", handle);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (!live || !disk || length < 0) return 0;
    path[length] = 0;
    pthread_mutex_lock(&turn);
    if (strcmp(path, live) == 0) {
        note_names(live, disk);
    } else if (strncmp(path, live, strlen(live)) == 0 && path[strlen(live)] == '/') {
        snprintf(kept, sizeof kept, "%s/%s.bytes", disk, path + strlen(live) + 1);
        copy(handle, kept);
    }
    pthread_mutex_unlock(&turn);
    return 0;
}

int fsync(int handle) { return synced(handle); }
int fdatasync(int handle) { return synced(handle); }
