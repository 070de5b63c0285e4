/** How to find the instances of a service from a program. */
export interface Snippet {
  readonly id: string
  readonly title: string
  /** The program or package that it needs. */
  readonly needs: string
  readonly text: string
}

/** Where DNS answers, and the name to ask for. */
export interface DnsPlace {
  readonly host: string
  readonly port: number
  readonly name: string
}

/** Out of the dig command that an answer comes with. */
export function placeIn(command: string): DnsPlace | undefined {
  const [, host = '', port = '53', name = ''] =
    /^dig @(\S+)(?: -p (\d+))? ([\w.-]+)\.? \w+$/.exec(command) ?? []
  // Other names would need quotes in each language, and few resolvers ask for them.
  return name === '' ? undefined : { host, port: Number(port), name }
}

/** Each prints address and port of every instance. */
export function snippets({ host, port, name }: DnsPlace): readonly Snippet[] {
  const at = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
  return [
    { id: 'shell', title: 'Shell', needs: 'dig', text: shell(host, port, name) },
    { id: 'go', title: 'Go', needs: 'the standard library', text: go(at, name) },
    { id: 'python', title: 'Python', needs: 'dnspython', text: python(host, port, name) },
    { id: 'java', title: 'Java', needs: 'the standard library', text: java(at, name) },
    { id: 'node', title: 'Node.js', needs: 'the standard library', text: node(at, name) },
  ]
}

function shell(host: string, port: number, name: string): string {
  return `dig +short @${host} -p ${port} ${name} SRV |
  while read -r _ _ port target; do
    echo "$(dig +short @${host} -p ${port} "$target" | head -n 1) $port"
  done`
}

function go(at: string, name: string): string {
  return `package main

import (
	"context"
	"fmt"
	"log"
	"net"
)

func main() {
	ctx := context.Background()
	resolver := &net.Resolver{
		PreferGo: true,
		Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, "${at}")
		},
	}
	_, records, err := resolver.LookupSRV(ctx, "", "", "${name}")
	if err != nil {
		log.Fatal(err)
	}
	for _, srv := range records {
		addresses, err := resolver.LookupHost(ctx, srv.Target)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(addresses[0], srv.Port)
	}
}`
}

function python(host: string, port: number, name: string): string {
  return `import dns.resolver

resolver = dns.resolver.Resolver(configure=False)
resolver.nameservers, resolver.port = ["${host}"], ${port}
for srv in resolver.resolve("${name}", "SRV"):
    address = resolver.resolve(srv.target, "A")[0]
    print(address, srv.port)`
}

function java(at: string, name: string): string {
  return `import java.util.Hashtable;
import javax.naming.directory.InitialDirContext;

class Find {
  public static void main(String[] args) throws Exception {
    var settings = new Hashtable<String, String>();
    settings.put("java.naming.factory.initial", "com.sun.jndi.dns.DnsContextFactory");
    settings.put("java.naming.provider.url", "dns://${at}");
    var dns = new InitialDirContext(settings);
    var records = dns.getAttributes("${name}", new String[] {"SRV"}).get("SRV");
    for (int i = 0; i < records.size(); i++) {
      var srv = records.get(i).toString().split(" ");
      var address = dns.getAttributes(srv[3], new String[] {"A"}).get("A").get();
      System.out.println(address + " " + srv[2]);
    }
  }
}`
}

function node(at: string, name: string): string {
  return `import { Resolver } from 'node:dns/promises'

const resolver = new Resolver()
resolver.setServers(['${at}'])
for (const { name, port } of await resolver.resolveSrv('${name}')) {
  const [address] = await resolver.resolve4(name)
  console.log(address, port)
}`
}
