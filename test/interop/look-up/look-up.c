#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

/* Prints a line for each name: its addresses, or why there are none. */
int main(int count, char **names) {
  for (int at = 1; at < count; at++) {
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = 0;
    int failure = getaddrinfo(names[at], 0, &hints, &found);
    printf("%s", names[at]);
    if (failure == EAI_NONAME) printf(" none");
    else if (failure) printf(" %s", gai_strerror(failure));
    for (struct addrinfo *each = found; !failure && each; each = each->ai_next) {
      char text[INET6_ADDRSTRLEN];
      const void *address = each->ai_family == AF_INET
                                ? (void *)&((struct sockaddr_in *)each->ai_addr)->sin_addr
                                : (void *)&((struct sockaddr_in6 *)each->ai_addr)->sin6_addr;
      printf(" %s", inet_ntop(each->ai_family, address, text, sizeof text));
    }
    printf("\n");
    if (!failure) freeaddrinfo(found);
  }
  return 0;
}
