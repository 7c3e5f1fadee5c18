// Command pion is a DTLS peer of pion/dtls for the tests, with connection ids in both directions.
//
//	pion client PORT SUITE PROOF: a handshake, a message, its echo, the same again from another port, close_notify
//	pion server PORT SUITE PROOF: echoes until it is ended
//
// PROOF is `psk IDENTITY HEXKEY` or `cert CA CERTIFICATE KEY`, the latter three files.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"net"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/pion/dtls/v3"
)

// moving is a socket that can be exchanged, as a NAT would do it.
type moving struct {
	mutex sync.Mutex
	conn  *net.UDPConn
}

func (m *moving) now() *net.UDPConn {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	return m.conn
}

func (m *moving) ReadFrom(bytes []byte) (int, net.Addr, error) {
	for {
		conn := m.now()
		count, from, err := conn.ReadFrom(bytes)
		if err != nil && conn != m.now() {
			continue
		}
		return count, from, err
	}
}

func (m *moving) WriteTo(bytes []byte, to net.Addr) (int, error) { return m.now().WriteTo(bytes, to) }
func (m *moving) Close() error                                   { return m.now().Close() }
func (m *moving) LocalAddr() net.Addr                            { return m.now().LocalAddr() }
func (m *moving) SetDeadline(at time.Time) error                 { return m.now().SetDeadline(at) }
func (m *moving) SetReadDeadline(at time.Time) error             { return m.now().SetReadDeadline(at) }
func (m *moving) SetWriteDeadline(at time.Time) error            { return m.now().SetWriteDeadline(at) }

func (m *moving) move() {
	fresh, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	check(err)
	m.mutex.Lock()
	old := m.conn
	m.conn = fresh
	m.mutex.Unlock()
	_ = old.Close()
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func main() {
	port, err := strconv.Atoi(os.Args[2])
	check(err)
	suite, err := strconv.ParseUint(os.Args[3], 16, 16)
	check(err)
	config := &dtls.Config{
		CipherSuites:          []dtls.CipherSuiteID{dtls.CipherSuiteID(suite)},
		ConnectionIDGenerator: dtls.RandomCIDGenerator(5),
		ExtendedMasterSecret:  dtls.RequireExtendedMasterSecret,
	}
	if os.Args[4] == "psk" {
		key, err := hex.DecodeString(os.Args[6])
		check(err)
		config.PSK = func([]byte) ([]byte, error) { return key, nil }
		config.PSKIdentityHint = []byte(os.Args[5])
	} else {
		pem, err := os.ReadFile(os.Args[5])
		check(err)
		authorities := x509.NewCertPool()
		authorities.AppendCertsFromPEM(pem)
		own, err := tls.LoadX509KeyPair(os.Args[6], os.Args[7])
		check(err)
		config.Certificates = []tls.Certificate{own}
		config.RootCAs = authorities
		config.ClientCAs = authorities
		config.ClientAuth = dtls.RequireAndVerifyClientCert
		config.ServerName = "gateway.example"
	}
	there := &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port}
	if os.Args[1] == "server" {
		listener, err := dtls.Listen("udp4", there, config)
		check(err)
		fmt.Println("listening")
		for {
			conn, err := listener.Accept()
			check(err)
			go func() {
				bytes := make([]byte, 2000)
				for {
					count, err := conn.Read(bytes)
					if err != nil {
						return
					}
					if _, err = conn.Write(bytes[:count]); err != nil {
						return
					}
				}
			}()
		}
	}
	socket := &moving{}
	socket.conn, err = net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	check(err)
	conn, err := dtls.Client(socket, there, config)
	check(err)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	check(conn.HandshakeContext(ctx))
	bytes := make([]byte, 2000)
	for _, said := range []string{"hello of pion", "hello from another port"} {
		_, err = conn.Write([]byte(said))
		check(err)
		count, err := conn.Read(bytes)
		check(err)
		fmt.Println(string(bytes[:count]))
		socket.move()
	}
	check(conn.Close())
}
